//! Who is asking: passwords, second steps, sessions, tokens, services.

mod browser;
mod codes;
mod local;
mod openid;
mod provider;
mod services;
mod sessions;
mod tokens;

pub use browser::Browser;

pub const PASSWORD: &str = "correct horse battery";

/// Ann has a password and an ordinary user's rights.
pub async fn ann(w: &crate::world::World) -> String {
    let (id, _) = w.user("ann@example.com").await;
    set_password(w, &id, PASSWORD).await;
    id
}

pub async fn set_password(w: &crate::world::World, id: &str, password: &str) {
    let ticket = actions::sign_in::reset::reset(&w.context().await, id.parse().unwrap(), false).await.unwrap();
    let mut browser = Browser::new(w);
    browser.post("/password", &[("ticket", &ticket), ("new", password)]).await.expect(303);
}

/// Audit rows with this action.
pub async fn audited(w: &crate::world::World, action: &str) -> Vec<model::tables::Audit> {
    use model::tables::Audit;
    let query = model::Query::table(<Audit as model::Entity>::TABLE)
        .filter(model::Filter::eq(Audit::C.action, action.to_owned()));
    w.store.list::<Audit>(&query).await.unwrap()
}

//! A fresh installation with the API in front of it, and requests as stories:
//! `w.post("/mailboxes", json!({…})).await.expect(400).code("0x8005E211")`.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actions::token::NewToken;
use actions::{Random, Settings, Store};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request};
use model::{Clock, Timestamp};
use serde_json::Value;
use store::Options;
use tower::ServiceExt;

pub const ADMIN: &str = "admin@example.com";

pub struct World {
    router: Router,
    pub store: Store,
    pub token: String,
    pub clock: Arc<TestClock>,
    pub random: Random,
    dir: tempfile::TempDir,
}

/// Stands still unless it is moved.
pub struct TestClock(Mutex<Timestamp>);

impl TestClock {
    pub fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now += model::SignedDuration::from_secs(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Repeatable, and different every time it is asked.
fn counting() -> Random {
    let counter = AtomicU64::new(1);
    Random::new(move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            let n = counter.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&n.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    })
}

/// Passwords are hashed cheaply.
pub fn sign_in() -> web::SignIn {
    let cost = actions::sign_in::Cost { kibibytes: 64, rounds: 1 };
    web::SignIn::new(actions::sign_in::Policy::default(), actions::sign_in::Hasher::new(cost, 4))
}

impl World {
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options::new(dir.path());
        Self::with(dir, options).await
    }

    /// `None` where the run has no PostgreSQL.
    pub async fn postgres() -> Option<Self> {
        let database = crate::database::fresh()?;
        let dir = tempfile::tempdir().unwrap();
        let options = Options { database: Some(database), readers: 2, ..Options::new(dir.path()) };
        Some(Self::with(dir, options).await)
    }

    /// A database that gives every query so long.
    pub async fn hurried(postgres: bool, query_timeout: std::time::Duration) -> Option<Self> {
        let database = if postgres { Some(crate::database::fresh()?) } else { None };
        let dir = tempfile::tempdir().unwrap();
        let options = Options { database, query_timeout, ..Options::new(dir.path()) };
        Some(Self::with(dir, options).await)
    }

    async fn with(dir: tempfile::TempDir, options: Options) -> Self {
        let store = Store::create(&options).await.unwrap();
        let clock = Arc::new(TestClock(Mutex::new("2026-03-01T09:00:00Z".parse().unwrap())));
        let random = counting();
        let token = actions::init(&store, ADMIN, clock.now(), &random).await.unwrap();
        Self::over(dir, store, token, clock, random)
    }

    /// An installation that is there already, as the service starts with it.
    pub async fn started(dir: tempfile::TempDir, options: Options, token: &str) -> Self {
        let store = Store::open(&options).await.unwrap();
        let clock = Arc::new(TestClock(Mutex::new("2026-03-01T09:00:00Z".parse().unwrap())));
        actions::prepare(&store, clock.now()).await.unwrap();
        Self::over(dir, store, token.to_owned(), clock, counting())
    }

    fn over(dir: tempfile::TempDir, store: Store, token: String, clock: Arc<TestClock>, random: Random) -> Self {
        let mut world = Self { router: Router::new(), store, token, clock, random, dir };
        world.metrics(Arc::new(|| "postroom_up 1\n".to_owned()));
        world
    }

    /// Where the installation is.
    pub fn data_dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Gives the metrics another source.
    pub fn metrics(&mut self, render: web::MetricsRender) {
        // The clock stands still: a limit over a time would never be over.
        let limits = web::Limits { user_requests: 0, user_seconds: 0, ..web::Limits::default() };
        self.router = web::router(web::AppState { metrics_render: render, limits, ..self.state() });
    }

    /// Lets nobody ask for more than this.
    pub fn limit(&mut self, limits: web::Limits) {
        self.router = web::router(web::AppState { limits, ..self.state() });
    }

    /// What a router needs, to be changed as a test likes.
    pub fn state(&self) -> web::AppState {
        web::AppState {
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            settings: Settings::default(),
            metrics_render: Arc::new(String::new),
            limits: web::Limits::default(),
            proxies: web::Proxies::default(),
            sign_in: sign_in(),
        }
    }

    pub fn replace_router(&mut self, router: Router) {
        self.router = router;
    }

    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }
    pub fn post(&self, path: &str, body: Value) -> Ask<'_> {
        self.ask(Method::POST, path).json(&body)
    }
    pub fn patch(&self, path: &str, body: Value) -> Ask<'_> {
        self.ask(Method::PATCH, path).json(&body)
    }
    pub fn delete(&self, path: &str) -> Ask<'_> {
        self.ask(Method::DELETE, path)
    }

    pub fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let url = if path.starts_with("//") { path[1..].to_owned() } else { format!("/api/data/v9.2{path}") };
        let headers = vec![
            ("authorization".to_owned(), format!("Bearer {}", self.token)),
            ("host".to_owned(), "crm.example.com".to_owned()),
        ];
        Ask { world: self, method, url, headers, body: Vec::new() }
    }

    /// Creates a row and returns its id.
    pub async fn create(&self, set: &str, body: Value) -> String {
        self.post(&format!("/{set}"), body).await.expect(204).entity_id()
    }

    pub async fn read(&self, path: &str) -> Value {
        self.get(path).await.expect(200).json()
    }

    /// The mailbox of a user or queue.
    pub async fn mailbox_of(&self, who: &str) -> String {
        let list =
            self.read(&format!("/mailboxes?$filter=_regardingobjectid_value eq {who}").replace(' ', "%20")).await;
        list["value"][0]["mailboxid"].as_str().expect("a mailbox").to_owned()
    }

    /// A token of an ordinary user with this address.
    pub async fn user(&self, address: &str) -> (String, String) {
        let id = self
            .create(
                "systemusers",
                serde_json::json!({ "internalemailaddress": address, "domainname": address, "lastname": "User" }),
            )
            .await;
        let new = NewToken::named("test");
        let (_, token) = actions::token::create(&self.context().await, id.parse().unwrap(), new).await.unwrap();
        (id, token)
    }

    /// What the administrator does without HTTP.
    pub async fn context(&self) -> actions::Context {
        self.context_of(&self.token).await
    }

    pub async fn context_of(&self, token: &str) -> actions::Context {
        let caller = actions::token::authenticate(&self.store, token, self.clock.now()).await.unwrap().unwrap();
        let (store, now, random) = (self.store.clone(), self.clock.now(), self.random.clone());
        actions::Context::new(store, caller.user, now, random, Settings::default()).await.unwrap().within(caller.scopes)
    }
}

pub struct Ask<'a> {
    world: &'a World,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self
    }
    pub fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }
    pub fn prefer(self, value: &str) -> Self {
        self.header("prefer", value)
    }
    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }
    pub fn raw(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut request = Request::builder().method(self.method).uri(&self.url);
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            let request = request.body(Body::from(self.body)).unwrap();
            let response = self.world.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            Answer { status, headers, body }
        })
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
    /// The code of the first fault.
    #[track_caller]
    pub fn code(self, code: &str) -> Self {
        let body = self.json();
        let found = body["error"]["code"].as_str().unwrap_or("none");
        assert!(found.eq_ignore_ascii_case(code), "expected {code}: {}", self.text());
        self
    }
    /// Some fault has this code.
    #[track_caller]
    pub fn also(self, code: &str) -> Self {
        assert!(self.codes().iter().any(|c| c.eq_ignore_ascii_case(code)), "expected {code} among: {}", self.text());
        self
    }
    pub fn codes(&self) -> Vec<String> {
        let body = self.json();
        let details = body["error"]["details"].as_array().cloned().unwrap_or_default();
        details.iter().filter_map(|d| d["code"].as_str().map(str::to_owned)).collect()
    }
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.text().contains(words), "expected '{words}' in: {}", self.text());
        self
    }
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }
    /// The id in `OData-EntityId`.
    #[track_caller]
    pub fn entity_id(&self) -> String {
        let url = self.header("odata-entityid");
        let id = url.rsplit_once('(').and_then(|(_, id)| id.strip_suffix(')'));
        id.unwrap_or_else(|| panic!("{url}")).to_owned()
    }
}

//! How the identity provider is reached: over the same guarded connections as
//! mail servers and webhooks.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actions::sign_in::openid::{Answer, Ask, LARGEST, Outside, Provider, SECONDS};
use anyhow::Result;
use connectors::http::{Client, Limits, Request, Url};

use crate::session::Session;

struct Guarded(Client);

impl Outside for Guarded {
    fn send(&self, ask: Ask) -> Pin<Box<dyn Future<Output = Result<Answer, String>> + Send + '_>> {
        Box::pin(async move {
            let url: Url = ask.url.parse().map_err(|why| format!("the address cannot be used: {why}"))?;
            let mut request = match &ask.form {
                Some(form) => {
                    Request::post(url, form.expose()).header("content-type", "application/x-www-form-urlencoded")
                }
                None => Request::get(url),
            };
            request = request.header("accept", "application/json");
            if let Some(value) = &ask.authorization {
                request = request.header("authorization", value.expose());
            }
            let total = Duration::from_secs(SECONDS);
            let limits = Limits { connect: Duration::from_secs(5), total, body: LARGEST, redirects: 0 };
            let response = self.0.send(request, limits).await.map_err(|failure| failure.to_string())?;
            Ok(Answer { status: response.status, body: response.body })
        })
    }
}

impl Session {
    /// The identity provider, where one is configured.
    pub fn provider(&self) -> Result<Option<Arc<Provider>>> {
        let Some(config) = self.config.sign_in.provider(&self.data_dir)? else { return Ok(None) };
        let net = self.config.net(&self.data_dir)?;
        let client = Client::new(net).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        Ok(Some(Arc::new(Provider::new(config, Arc::new(Guarded(client))))))
    }
}

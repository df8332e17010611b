//! One request to a receiver.

use std::time::Duration;

use connectors::http::{self, Client, Limits, Request, Response, Url};
use formats::webhook::{Payload, Told, payload};
use model::table::{Access, Kind};
use model::tables::{EndpointAuth, Event, Organization, ProcessingStep, ServiceEndpoint, SystemUser};
use model::{Entity, Failure, FailureKind, Record, Secret, Step, tables};

use rules::access::fields;

use crate::{Engine, SyncError};

/// Receivers that need longer should take the event and work on it later.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(10),
    total: Duration::from_secs(30),
    body: 64 * 1024,
    // What is told is for this address and no other.
    redirects: 0,
};

impl Engine {
    /// Sends the event; what came of it is the receiver's or the network's.
    pub(super) async fn deliver(
        &self,
        client: &Client,
        organization: &Organization,
        endpoint: &ServiceEndpoint,
        event: &Event,
    ) -> Result<Result<Response, Failure>, SyncError> {
        let payload = self.payload(organization, event).await?;
        let auth = self.store.reveal(ServiceEndpoint::TABLE, endpoint.id, "authvalue").await?;
        let signing = self.store.reveal(ServiceEndpoint::TABLE, endpoint.id, "pr_signingsecret").await?;
        let request = match addressed(endpoint, auth.as_ref(), payload.body) {
            Ok(request) => request,
            Err(why) => return Ok(Err(Failure::new(FailureKind::Misconfigured, Step::Connect, why))),
        };
        let mut request = request
            .header("Content-Type", "application/json; charset=utf-8")
            .header("x-request-id", event.id.to_string())
            .header("x-ms-dynamics-organization", header_text(&organization.name))
            .header("x-ms-dynamics-entity-name", event.table.clone())
            .header("x-ms-dynamics-request-name", event.message.clone())
            .header("x-ms-correlation-request-id", event.correlation.unwrap_or_default().to_string())
            .header("x-postroom-event", event.id.to_string());
        if payload.cut {
            request = request.header("x-ms-dynamics-msg-size-exceeded", "true");
        }
        if let Some(secret) = signing {
            let timestamp = self.now().as_second();
            let signature = http::signature(&secret, timestamp, &request.body);
            request = request
                .header("x-postroom-timestamp", timestamp.to_string())
                .header("x-postroom-signature", format!("sha256={signature}"));
        }
        Ok(client.send(request, LIMITS).await)
    }

    async fn payload(&self, organization: &Organization, event: &Event) -> Result<Payload, SyncError> {
        let step = match event.step {
            Some(step) => self.store.load::<ProcessingStep>(step.id).await?,
            None => None,
        };
        let user = match event.user {
            Some(user) => self.store.load::<SystemUser>(user.id).await?,
            None => None,
        };
        let image = match &step {
            Some(step) if !step.image.is_empty() && event.message != "Delete" => self.image(event, &step.image).await?,
            _ => None,
        };
        let withheld: Vec<&str> = fields::secured().filter(|(t, _)| *t == event.table).map(|(_, c)| c).collect();
        Ok(payload(Told {
            event,
            organization,
            step: step.as_ref().map_or("", |step| &step.name),
            business_unit: user.and_then(|user| user.business_unit).map(|unit| unit.id),
            // User names stay here, whoever may read the row.
            withheld: &withheld,
            image: image.as_ref(),
        }))
    }

    /// The row as it stands now, with the columns that the step names.
    async fn image(&self, event: &Event, columns: &str) -> Result<Option<Record>, SyncError> {
        let (Some(table), Some(row)) = (tables::by_logical_name(&event.table), event.row) else { return Ok(None) };
        let wanted: Vec<&str> = columns.split(',').map(str::trim).collect();
        let Some(mut record) = self.store.get(table, row).await? else { return Ok(None) };
        record.values.retain(|name, _| {
            let column = table.column(name);
            let told = column.is_some_and(|c| {
                !matches!(c.access, Access::Internal | Access::Write)
                    && !matches!(c.kind, Kind::Secret { .. } | Kind::Bytes)
            });
            told && !fields::is_secured(table, name) && (wanted.contains(&"*") || wanted.contains(name))
        });
        Ok(Some(record))
    }
}

/// The request with what shows the receiver that it is us.
fn addressed(endpoint: &ServiceEndpoint, auth: Option<&Secret>, body: String) -> Result<Request, String> {
    let url: Url = endpoint.url.parse().map_err(|why| format!("the address of the endpoint cannot be used: {why}"))?;
    let Some(auth) = auth else { return Ok(Request::post(url, body)) };
    let pairs = || {
        rules::webhook::settings(auth.expose())
            .map_err(|why| format!("authvalue of the endpoint cannot be used: {why}"))
    };
    Ok(match endpoint.auth {
        EndpointAuth::HttpHeader => {
            let request = Request::post(url, body);
            pairs()?.into_iter().fold(request, |request, (name, value)| request.header(name, value))
        }
        EndpointAuth::HttpQueryString => {
            let url = pairs()?.iter().fold(url, |url, (name, value)| url.with_parameter(name, value));
            Request::post(url, body)
        }
        _ => Request::post(url.with_parameter("code", auth.expose()), body),
    })
}

/// A header holds no more than ASCII.
fn header_text(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

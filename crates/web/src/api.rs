//! The Web API: OData 4.0 as Dataverse speaks it.

mod annotate;
mod auth;
mod bind;
mod call;
mod calls;
mod definitions;
pub(crate) mod dispatch;
pub(crate) mod errors;
mod expand;
mod headers;
mod json;
mod json_in;
mod json_out;
mod key;
mod list;
mod options;
mod paging;
mod read_one;
mod resource;
pub(crate) mod respond;
mod rows;
mod tracking;
mod write;

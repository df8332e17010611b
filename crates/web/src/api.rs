//! The Web API: OData 4.0 as Dataverse speaks it.

mod annotate;
mod arguments;
mod auth;
mod bind;
mod call;
mod calls;
pub(crate) mod dispatch;
pub(crate) mod errors;
mod expand;
mod headers;
mod json;
mod json_in;
mod json_out;
mod key;
mod list;
mod metadata;
mod operations;
mod options;
mod paging;
mod read_one;
mod resource;
pub(crate) mod respond;
mod rows;
mod tracking;
mod write;

//! Attachments of activities. The bytes stay in the blob of the message that
//! brought them; the row says where in it.

use crate::table;
use crate::table::{BLANK, Ownership, Table, bytes, flag, int, lookup, text};
use crate::value::Ref;

table! {
    pub struct Attachment, AttachmentColumns: Table {
        logical: "activitymimeattachment", set: "activitymimeattachments", schema: "ActivityMimeAttachment",
        id: "activitymimeattachmentid", name: Some("filename"), code: 1001, ownership: Ownership::Parent, tracked: true, ..BLANK
    }; {
        /// `objectid`: the email.
        object: Option<Ref> = lookup("objectid", "Item", &["email"]).on_create(),
        object_type: String = text("objecttypecode", "Entity", 64).on_create(),
        file_name: String = text("filename", "File Name", 255),
        mime_type: String = text("mimetype", "Mime Type", 256),
        content_id: String = text("attachmentcontentid", "Content ID", 250),
        is_inline: bool = flag("pr_isinline", "Inline").read(),
        number: i64 = int("attachmentnumber", "Attachment Number", 0, 1_000_000_000).or(0),
        /// Octets after decoding.
        size: i64 = int("filesize", "File Size (Bytes)", 0, 1_000_000_000).or(0).read(),
        /// SHA-256 of the blob that holds the bytes.
        blob: Option<Vec<u8>> = bytes("pr_blob", "Blob"),
        /// Where in the blob: a [`crate::mail::Place`] as text.
        place: String = text("pr_place", "Place", 400).internal(),
    } also {
        text("subject", "Subject", 2000),
    }
}

//! What a caller may do at all, so that pages show only what leads somewhere.
//! Whether one row may be read or written is asked where that happens.

use model::Table;
use rules::access::{Depth, Right, Special};

use crate::access;
use crate::context::Context;

/// Something that takes a right to a table, or a privilege of its own.
#[derive(Debug, Clone, Copy)]
pub enum Wish {
    /// Nothing at all.
    Anyone,
    Create(&'static Table),
    Read(&'static Table),
    /// Every row of it.
    ReadAll(&'static Table),
    Write(&'static Table),
    Delete(&'static Table),
    Assign(&'static Table),
    Special(Special),
}

/// Whether the caller may do this to any row, at any depth.
#[must_use]
pub fn permitted(ctx: &Context, wish: Wish) -> bool {
    let any = |right, table| access::any(ctx, right, table).is_ok();
    match wish {
        Wish::Anyone => true,
        Wish::Create(table) => any(Right::Create, table),
        Wish::Read(table) => any(Right::Read, table),
        Wish::ReadAll(table) => ctx.principal.granted(Right::Read, table).is_ok_and(|r| r.depth == Depth::Global),
        Wish::Write(table) => any(Right::Write, table),
        Wish::Delete(table) => any(Right::Delete, table),
        Wish::Assign(table) => any(Right::Assign, table),
        Wish::Special(special) => access::special(ctx, special).is_ok(),
    }
}

//! A second opinion on queries: the same filter, order and page worked out in
//! memory, over generated rows of every table on the wire.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::backend::{at, commit, id};
use crate::shape::{is_exact, want};
use crate::{CommitError, Store};
use model::query::{Compare, Path, TextMatch};
use model::table::Access;
use model::tables::Account;
use model::{
    Change, Column, Entity as _, Filter, Id, Kind, Order, Query, Record, Ref, Table, Timestamp, Update, Value, tables,
};

/// The same sequence for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % n.max(1) as u64).unwrap()
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A fraction of a second more is not stored.
const LAST: Timestamp = Timestamp::constant(253_402_207_200, 0);

const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "Ärger",
    "ärger",
    "A\u{308}rger",
    "STRASSE",
    "straße",
    "STRAẞE",
    "İstanbul",
    "istanbul",
    "ISTANBUL",
    "ıI",
    "ΣΊΣΥΦΟΣ",
    "Σίσυφος",
    "σίσυφοσ",
    "ΟΔΟΣ ΑΒ",
    "100%",
    "100x",
    "1_0",
    "1x0",
    "[a]",
    "a\\b",
    "\\",
    "%",
    "_",
    "'; DROP TABLE account; --",
    "\"",
    " ",
    "  a  ",
    "a ",
    "é",
    "e\u{301}",
    "漢字",
    "🙂",
    "\u{10FFFF}",
    "\u{FFFD}",
    "ǅ",
    "ﬁ",
    "\u{7f}",
    "line\r\nbreak",
    "null",
    "zzzzzzzz",
];

const WIRE_ROWS: u128 = 14;

fn wire() -> Vec<&'static Table> {
    tables::ALL.iter().copied().filter(|t| t.on_wire).collect()
}

/// The id of the n-th row of a table: no two tables share one.
fn row_id(table: &Table, n: u128) -> Id {
    let place = tables::ALL.iter().position(|t| t.logical == table.logical).unwrap() as u128;
    // Not in the order in which they are made.
    id((place + 1) * 1000 + n * 5 % WIRE_ROWS + 1)
}

/// What may be compared: neither secrets nor bytes.
fn columns(table: &'static Table) -> Vec<&'static Column> {
    table.all_columns().filter(|c| !matches!(c.kind, Kind::Secret { .. } | Kind::Bytes)).collect()
}

fn long() -> String {
    "Lang ".repeat(700)
}

fn value(dice: &mut Dice, kind: &Kind) -> Value {
    if dice.one_in(4) {
        return Value::Null;
    }
    let ints: &[i64] = &[0, 1, -1, 2, 3, 100, 817_920_000];
    match kind {
        Kind::Bool => Value::Bool(dice.one_in(2)),
        Kind::Int { min, max } => Value::Int(*dice.pick(&[*min, *max, 0, 1, 5])),
        Kind::BigInt => Value::Int(*dice.pick(&[i64::MIN, i64::MAX, 0, 1, -1, 1 << 53])),
        Kind::Choice(set) => match dice.one_in(3) {
            true => Value::Int(*dice.pick(ints)),
            false => Value::Int(i64::from(dice.pick(set.options).value)),
        },
        Kind::Text { .. } | Kind::Email { .. } | Kind::Memo => match dice.one_in(20) {
            true => Value::Text(long()),
            false => Value::Text((*dice.pick(TEXTS)).to_owned()),
        },
        Kind::Time => Value::Time(*dice.pick(&[
            at(0),
            at(1),
            at(86_400),
            "1753-01-01T00:00:00Z".parse().unwrap(),
            Timestamp::MAX,
            LAST,
            "1969-12-31T23:59:59.999999Z".parse().unwrap(),
            Timestamp::UNIX_EPOCH,
        ])),
        Kind::Lookup(targets) => {
            let target = tables::by_logical_name(targets[dice.below(targets.len())]).unwrap();
            // Some point to nothing.
            Value::Ref(Ref::new(target.logical, row_id(target, dice.below(16) as u128)))
        }
        Kind::Id => Value::Id(id(dice.below(5) as u128)),
        Kind::Secret { .. } | Kind::Bytes => Value::Null,
    }
}

/// Rows of every table on the wire, as the store gives them back.
async fn fill(store: &Store, dice: &mut Dice) -> Vec<Record> {
    let mut commits = Vec::new();
    for table in wire() {
        for n in 0..WIRE_ROWS {
            let mut record = Record::with_defaults(table, row_id(table, n));
            for column in columns(table).into_iter().filter(|c| c.access != Access::Internal) {
                let flag = crate::shape::Shape::of(table).unwrap().flags.contains_key(column.name);
                let system = model::table::SYSTEM.iter().any(|s| s.name == column.name);
                if !flag && !system && !dice.one_in(6) {
                    record.set(column.name, value(dice, &column.kind));
                }
            }
            commits.push(commit(vec![Change::Create(record)]));
        }
    }
    // A row that cannot be, for another has its place already, is left out.
    for answer in store.commit_all(commits).await {
        assert!(matches!(answer, Ok(_) | Err(CommitError::Conflict { .. })), "{answer:?}");
    }
    let mut rows = Vec::new();
    for table in wire() {
        let all = store.query(&Query::table(table)).await.unwrap();
        assert!(all.len() > 3, "{} has {} rows", table.logical, all.len());
        rows.extend(all);
    }
    rows
}

/// All rows, found by what they are.
struct Memory {
    rows: BTreeMap<Ref, Record>,
}

impl Memory {
    fn new(rows: Vec<Record>) -> Self {
        Self { rows: rows.into_iter().map(|r| (r.reference(), r)).collect() }
    }

    fn of(&self, table: &Table) -> impl Iterator<Item = &Record> {
        self.rows.values().filter(move |r| r.table.logical == table.logical)
    }

    /// What a path leads to from a row.
    fn at(&self, row: &Record, path: &Path) -> Value {
        let mut here = row;
        for lookup in &path.lookups {
            let Some(next) = here.get(lookup).as_ref_to() else { return Value::Null };
            let Some(found) = self.rows.get(&next) else { return Value::Null };
            here = found;
        }
        match here.get(path.column) {
            _ if path.column == here.table.id => Value::Id(here.id),
            Value::Ref(r) => Value::Id(r.id),
            Value::Text(text) if text.is_empty() => Value::Null,
            other => other.clone(),
        }
    }

    /// What is searched for words: the text, or all of the row's.
    fn texts(&self, row: &Record, path: &Path) -> Vec<String> {
        let whole = path.lookups.is_empty() && path.column == row.table.id;
        let columns = if whole { row.table.words.to_vec() } else { vec![path.column] };
        let text = |column: &'static str| match self.at(row, &Path { column, ..path.clone() }) {
            Value::Text(text) => Some(text),
            _ => None,
        };
        columns.into_iter().filter_map(text).collect()
    }

    fn holds(&self, row: &Record, filter: &Filter) -> bool {
        let both = |a: Value, b: Value, exact| (shown(a, exact), shown(b, exact));
        match filter {
            Filter::All => true,
            Filter::Compare(path, how, value) => {
                let (here, given) = both(self.at(row, path), value.clone(), exact(row.table, path));
                match (how, given.is_null()) {
                    (Compare::Equal, true) => here.is_null(),
                    (Compare::NotEqual, true) => !here.is_null(),
                    (_, true) => false,
                    _ => compares(&here, *how, &given),
                }
            }
            Filter::Columns(a, how, b) => {
                let exact = exact(row.table, a) && exact(row.table, b);
                let (a, b) = both(self.at(row, a), self.at(row, b), exact);
                compares(&a, *how, &b)
            }
            Filter::IsNull(path) => self.at(row, path).is_null(),
            Filter::In(path, values) => {
                let exact = exact(row.table, path);
                let here = shown(self.at(row, path), exact);
                values.iter().any(|v| here == shown(v.clone(), exact))
            }
            Filter::Text(path, how, text) => {
                if *how == TextMatch::Words {
                    return words(&self.texts(row, path), text);
                }
                let Value::Text(here) = shown(self.at(row, path), false) else { return false };
                let text = folded(text);
                match how {
                    TextMatch::Contains => here.contains(&text),
                    TextMatch::StartsWith => here.starts_with(&text),
                    TextMatch::EndsWith => here.ends_with(&text),
                    TextMatch::Words => panic!("answered above"),
                    TextMatch::Like => like(&text.chars().collect::<Vec<_>>(), &here.chars().collect::<Vec<_>>()),
                }
            }
            Filter::And(all) => all.iter().all(|f| self.holds(row, f)),
            Filter::Or(any) => any.iter().any(|f| self.holds(row, f)),
            Filter::Not(inner) => !self.holds(row, inner),
            Filter::Within { path, table, column, filter } => {
                let here = self.at(row, path);
                let listed = |r: &Record| self.at(r, &Path::from(*column)) == here;
                !here.is_null() && self.of(table).any(|r| listed(r) && self.holds(r, filter))
            }
            Filter::Bits(path, bits) => self.at(row, path).as_int().is_some_and(|n| n & bits == *bits),
            Filter::Of(..) | Filter::Across { .. } | Filter::Linked(_) => panic!("these are of a fetch"),
            Filter::Any { table, column, filter } => {
                self.of(table).any(|r| r.get(column).as_ref_to() == Some(row.reference()) && self.holds(r, filter))
            }
        }
    }

    fn found(&self, table: &Table, filter: &Filter) -> BTreeSet<Id> {
        self.of(table).filter(|r| self.holds(r, filter)).map(|r| r.id).collect()
    }

    /// The rows in this order, the id as the last criterion.
    fn sorted(&self, table: &'static Table, filter: &Filter, order: &[Order]) -> Vec<&Record> {
        let mut rows: Vec<&Record> = self.of(table).filter(|r| self.holds(r, filter)).collect();
        rows.sort_by(|a, b| {
            let by = |o: &Order| {
                let exact = exact(table, &o.column);
                let one = place(&shown(self.at(a, &o.column), exact), &shown(self.at(b, &o.column), exact));
                if o.descending { one.reverse() } else { one }
            };
            order.iter().map(by).find(|o| o.is_ne()).unwrap_or_else(|| a.id.cmp(&b.id))
        });
        rows
    }
}

/// Each word begins one in some text.
fn words(texts: &[String], asked: &str) -> bool {
    let split = |text: &str| -> Vec<String> {
        // Of what TEXTS holds, these are no parts of words.
        let between = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() || matches!(c, '🙂' | '\u{FFFD}');
        folded(text).split(between).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    let (there, asked): (Vec<String>, _) = (texts.iter().flat_map(|t| split(t)).collect(), split(asked));
    !asked.is_empty() && asked.iter().all(|a| there.iter().any(|w| w.starts_with(a.as_str())))
}

/// T-SQL's patterns, character by character.
fn like(pattern: &[char], text: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return text.is_empty() };
    let close = rest.iter().position(|c| *c == ']').filter(|n| *n > 0 && rest[..*n] != ['^']);
    match (first, text.split_first()) {
        ('%', _) => (0..=text.len()).any(|n| like(rest, &text[n..])),
        (_, None) => false,
        ('_', Some((_, after))) => like(rest, after),
        ('[', Some((here, after))) if close.is_some() => {
            let (set, rest) = (&rest[..close.unwrap_or(0)], &rest[close.unwrap_or(0) + 1..]);
            let (not, set) = if set[0] == '^' { (true, &set[1..]) } else { (false, set) };
            let ranged = set.windows(3).any(|w| w[1] == '-' && w[0] <= *here && *here <= w[2]);
            (set.contains(here) || ranged) != not && like(rest, after)
        }
        (same, Some((here, after))) => same == here && like(rest, after),
    }
}

/// A part of some text, some of its characters in wild cards' places.
fn pattern(dice: &mut Dice) -> String {
    const WILD: &[&str] =
        &["%", "_", "[a-f]", "[^a-c]", "[är]", "[^b]", "[%]", "[_]", "[[]", "%_", "[", "*", "?", "\\"];
    let whole: Vec<char> = dice.pick(TEXTS).chars().collect();
    let mut out: String = if dice.below(2) == 0 { "%".into() } else { String::new() };
    for c in whole {
        match dice.below(4) {
            0 => out.push_str(dice.pick::<&str>(WILD)),
            _ => out.push(c),
        }
    }
    if dice.below(3) == 0 {
        out.push('%');
    }
    out
}

/// Without regard to case, in every script.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

fn shown(value: Value, exact: bool) -> Value {
    match value {
        Value::Text(text) if text.is_empty() => Value::Null,
        Value::Text(text) if !exact => Value::Text(folded(&text)),
        Value::Ref(r) => Value::Id(r.id),
        // What is stored of it.
        Value::Time(t) if t > LAST => Value::Time(LAST),
        other => other,
    }
}

/// Whether the column at the path's end is compared as it stands.
fn exact(table: &'static Table, path: &Path) -> bool {
    let mut here = vec![table];
    for lookup in &path.lookups {
        let targets = here.iter().filter_map(|t| t.column(lookup)).filter_map(|c| match c.kind {
            Kind::Lookup(targets) => Some(targets),
            _ => None,
        });
        here = targets.flatten().filter_map(|t| tables::by_logical_name(t)).collect();
    }
    let ends = here.iter().find(|t| t.id == path.column || t.column(path.column).is_some());
    ends.is_some_and(|t| is_exact(t, path.column))
}

/// Absent first, then as bytes, numbers or moments.
fn place(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Id(a), Value::Id(b)) => a.cmp(b),
        _ => panic!("{a:?} is compared with {b:?}"),
    }
}

fn compares(a: &Value, how: Compare, b: &Value) -> bool {
    if a.is_null() || b.is_null() {
        return how == Compare::NotEqual && a != b;
    }
    let order = place(a, b);
    match how {
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
    }
}

/// A path with the column at its end; `None` there: a primary key.
fn path(dice: &mut Dice, table: &'static Table) -> (Path, Option<&'static Column>) {
    let (mut here, mut lookups) = (table, Vec::new());
    while lookups.len() < 2 && dice.one_in(3) {
        let candidates: Vec<_> = columns(here)
            .into_iter()
            .filter_map(|c| match c.kind {
                Kind::Lookup(targets) => Some((c, targets)),
                _ => None,
            })
            .collect();
        let (column, targets) = *dice.pick(&candidates);
        lookups.push(column.name);
        here = tables::by_logical_name(targets[dice.below(targets.len())]).unwrap();
    }
    if dice.one_in(12) {
        return (Path { lookups, column: here.id }, None);
    }
    let column = *dice.pick(&columns(here));
    (Path { lookups, column: column.name }, Some(column))
}

const HOW: &[Compare] = &[
    Compare::Equal,
    Compare::NotEqual,
    Compare::Less,
    Compare::LessOrEqual,
    Compare::Greater,
    Compare::GreaterOrEqual,
];

fn kind_of(column: Option<&'static Column>) -> Kind {
    column.map_or(Kind::Id, |c| c.kind)
}

/// A value to compare a column with: for a key, one that some row has.
fn given(dice: &mut Dice, table: &'static Table, column: Option<&'static Column>) -> Value {
    match column {
        None => Value::Id(row_id(table, dice.below(16) as u128)),
        Some(column) => value(dice, &column.kind),
    }
}

fn leaf(dice: &mut Dice, table: &'static Table) -> Filter {
    let (at, column) = path(dice, table);
    let kind = kind_of(column);
    match dice.below(10) {
        0 => Filter::IsNull(at),
        1 => {
            let values = (0..dice.below(4)).map(|_| given(dice, table, column)).collect();
            Filter::In(at, values)
        }
        2 | 3 => {
            let other = (0..30).map(|_| path(dice, table)).find(|(_, c)| want(&kind_of(*c)) == want(&kind));
            match other {
                Some((other, _)) => Filter::Columns(at, *dice.pick(HOW), other),
                None => Filter::All,
            }
        }
        4..=6 if matches!(kind, Kind::Text { .. } | Kind::Email { .. } | Kind::Memo) => {
            if dice.below(2) == 0 {
                return Filter::Text(at, TextMatch::Like, pattern(dice));
            }
            if dice.below(3) == 0 {
                let text = format!("{} {}", dice.pick(TEXTS), dice.pick(&["", "", "a", "\"*"]));
                let whole = at.lookups.is_empty() && !table.words.is_empty() && dice.one_in(2);
                let at = if whole { table.id.into() } else { at };
                return Filter::Text(at, TextMatch::Words, text);
            }
            let whole: Vec<char> = dice.pick(TEXTS).chars().collect();
            let (a, b) = (dice.below(whole.len() + 1), dice.below(whole.len() + 1));
            let text = whole[a.min(b)..a.max(b)].iter().collect();
            Filter::Text(at, *dice.pick(&[TextMatch::Contains, TextMatch::StartsWith, TextMatch::EndsWith]), text)
        }
        _ => Filter::Compare(at, *dice.pick(HOW), given(dice, table, column)),
    }
}

fn filter(dice: &mut Dice, table: &'static Table, depth: usize) -> Filter {
    let few = |dice: &mut Dice| (0..dice.below(4)).map(|_| filter(dice, table, depth - 1)).collect();
    match if depth == 0 { 9 } else { dice.below(8) } {
        0 => Filter::And(few(dice)),
        1 => Filter::Or(few(dice)),
        2 => Filter::Not(Box::new(filter(dice, table, depth - 1))),
        3 | 4 => {
            let pointing: Vec<(&'static Table, &'static Column)> = wire()
                .into_iter()
                .flat_map(|t| t.all_columns().map(move |c| (t, c)))
                .filter(|(_, c)| matches!(c.kind, Kind::Lookup(targets) if targets.contains(&table.logical)))
                .collect();
            if pointing.is_empty() {
                return leaf(dice, table);
            }
            let (from, column) = *dice.pick(&pointing);
            Filter::Any { table: from, column: column.name, filter: Box::new(filter(dice, from, depth - 1)) }
        }
        _ => leaf(dice, table),
    }
}

async fn found(store: &Store, table: &'static Table, filter: &Filter) -> Result<BTreeSet<Id>, crate::StoreError> {
    let rows = store.query(&Query::table(table).filter(filter.clone())).await?;
    Ok(rows.into_iter().map(|r| r.id).collect())
}

/// The smallest part of the filter on which store and memory disagree.
async fn blame(store: &Store, memory: &Memory, table: &'static Table, filter: Filter) -> String {
    let parts: Vec<(&'static Table, Filter)> = match &filter {
        Filter::And(all) | Filter::Or(all) => all.iter().map(|f| (table, f.clone())).collect(),
        Filter::Not(one) => vec![(table, (**one).clone())],
        Filter::Any { table: inner, filter, .. } => vec![(*inner, (**filter).clone())],
        _ => Vec::new(),
    };
    for (table, part) in parts {
        if found(store, table, &part).await.ok() != Some(memory.found(table, &part)) {
            return Box::pin(blame(store, memory, table, part)).await;
        }
    }
    let (stored, expected) = (found(store, table, &filter).await, memory.found(table, &filter));
    let differs: Vec<_> = match &stored {
        Ok(stored) => stored.symmetric_difference(&expected).copied().collect(),
        Err(_) => Vec::new(),
    };
    let at = match &filter {
        Filter::Compare(p, ..) | Filter::IsNull(p) | Filter::In(p, _) | Filter::Text(p, ..) => Some(p.clone()),
        Filter::Columns(p, ..) => Some(p.clone()),
        _ => None,
    };
    let rows: Vec<_> = memory.of(table).filter(|r| differs.contains(&r.id)).take(3).collect();
    let values: Vec<_> = rows.iter().map(|r| at.as_ref().map(|p| memory.at(r, p))).collect();
    format!("{}: {filter:?}\nstored {stored:?}\nexpected {expected:?}\nthere: {values:?}", table.logical)
}

async fn filters_agree(store: &Store, seed: u64, rounds: usize) {
    let mut dice = Dice(seed);
    let memory = Memory::new(fill(store, &mut dice).await);
    let all = wire();
    let mut some = 0;
    for _ in 0..rounds {
        let table = *dice.pick(&all);
        let filter = filter(&mut dice, table, 3);
        let expected = memory.found(table, &filter);
        some += usize::from(!expected.is_empty() && expected.len() < memory.of(table).count());
        let stored = found(store, table, &filter).await;
        if stored.as_ref().ok() != Some(&expected) {
            panic!("{}", blame(store, &memory, table, filter).await);
        }
        let count = store.count(&Query::table(table).filter(filter)).await.unwrap();
        assert_eq!(count, expected.len() as u64);
    }
    assert!(some > rounds / 5, "only {some} of {rounds} filters told rows apart");
}

async fn pages_agree(store: &Store, seed: u64, rounds: usize) {
    let mut dice = Dice(seed);
    let memory = Memory::new(fill(store, &mut dice).await);
    let all = wire();
    for _ in 0..rounds {
        let table = *dice.pick(&all);
        let filter = filter(&mut dice, table, 1);
        let order: Vec<Order> = (0..dice.below(4))
            .map(|_| Order { column: path(&mut dice, table).0, descending: dice.one_in(2) })
            .collect();
        let expected: Vec<&Record> = memory.sorted(table, &filter, &order);
        let what = format!("{} {order:?} {filter:?}", table.logical);
        let mut query = Query::table(table).filter(filter).limit(1 + dice.below(6));
        query.order = order;
        let mut seen = Vec::new();
        loop {
            let page = store.query(&query).await.unwrap_or_else(|e| panic!("{e}: {what}"));
            seen.extend(page.iter().map(|r| r.id));
            let Some(last) = page.last() else { break };
            let last = memory.rows.get(&last.reference()).unwrap();
            let values = query.order.iter().map(|o| memory.at(last, &o.column)).collect();
            query.after = Some((values, last.id));
            assert!(seen.len() <= expected.len(), "{what}");
        }
        assert_eq!(seen, expected.iter().map(|r| r.id).collect::<Vec<_>>(), "{what}");
    }
}

const NAMES: [&str; 7] = ["", "a", "B", "Ärger", "b2", "Öl", "z"];

/// Makes, renames and removes rows of its own until it is told to stop.
async fn write_on(store: Store, seed: u64, stopped: tokio::sync::watch::Receiver<bool>, written: Arc<AtomicUsize>) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut mine: Vec<Id> = Vec::new();
    let mut next = u128::from(seed) * 1_000_000_000 + 1;
    while !*stopped.borrow() {
        let name = (*dice.pick(&NAMES)).to_owned();
        let change = match dice.below(4) {
            0 if mine.len() > 20 => Change::delete::<Account>(mine.swap_remove(dice.below(mine.len()))),
            1 | 2 if mine.len() > 5 => Update::of::<Account>(*dice.pick(&mine)).set(Account::C.name, name).into(),
            _ => {
                next += 1 + u128::from(next % 1000 == 999);
                mine.push(id(next));
                Change::create(Account { name, ..Account::blank(id(next)) })
            }
        };
        store.commit(&commit(vec![change])).await.unwrap();
        written.fetch_add(1, Relaxed);
    }
}

super::backend::on_both! {
    async fn every_filter_means_the_same_as_in_memory(place, store) {
        filters_agree(store, 0x9E37_79B9_7F4A_7C15, 1500).await;
    }

    async fn every_order_pages_as_in_memory(place, store) {
        pages_agree(store, 0xD1B5_4A32_D192_ED03, 250).await;
    }

    async fn pages_neither_skip_nor_double_while_others_write(place, store) {
        let stays = |n: u128| Account { name: NAMES[(n % 7) as usize].into(), ..Account::blank(id(n * 1000)) };
        store.commit(&commit((1..=120).map(|n| Change::create(stays(n))).collect())).await.unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let written = Arc::new(AtomicUsize::new(0));
        let write = |n| write_on(store.clone(), n, stopped.clone(), Arc::clone(&written));
        let writers = (1..4_u64).map(|n| tokio::spawn(write(n)));
        let writers: Vec<_> = writers.collect();
        for (round, descending) in [false, true, false, true, false, true].into_iter().enumerate() {
            let mut query = Query::of::<Account>().order_by(Account::C.name, descending).limit(5 + round);
            let (mut seen, mut pages) = (Vec::new(), 0);
            loop {
                let page = store.list::<Account>(&query).await.unwrap();
                let Some(last) = page.last() else { break };
                query.after = Some((vec![Value::Text(last.name.clone())], last.id));
                seen.extend(page.into_iter().map(|a| a.id).filter(|i| i.as_u128() % 1000 == 0));
                pages += 1;
                let before = written.load(Relaxed);
                while written.load(Relaxed) == before && !writers.iter().all(tokio::task::JoinHandle::is_finished) {
                    tokio::time::sleep(std::time::Duration::from_micros(200)).await;
                }
                // The others come and go without end; so many pages are enough.
                assert!(pages < 3000, "paging does not come to an end");
            }
            let mut expected: Vec<Account> = (1..=120).map(stays).collect();
            expected.sort_by(|a, b| {
                let order = a.name.to_lowercase().cmp(&b.name.to_lowercase());
                (if descending { order.reverse() } else { order }).then(a.id.cmp(&b.id))
            });
            assert_eq!(seen, expected.iter().map(|a| a.id).collect::<Vec<_>>(), "{descending}");
            assert!(pages > 10);
        }
        stop.send(true).unwrap();
        for writer in writers {
            writer.await.unwrap();
        }
    }
}

//! Dataverse's own functions: always with the namespace and named parameters.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use model::Value;
use model::query::{Compare, Filter};
use model::table::Kind as ColumnKind;

use super::filter::{Parser, Scope};
use super::lexer::{Kind, Token};
use super::literal::{day, listed, midnight, time, unquote};
use super::resolve::{self, Found};
use super::{ODataError, excerpt};

/// What stood in the parentheses.
struct Arguments<'a> {
    property: Token<'a>,
    values: Vec<Token<'a>>,
}

impl<'a> Parser<'a> {
    /// The call of `Microsoft.Dynamics.CRM.<function>`, its name already read.
    pub(super) fn crm_function(
        &mut self,
        scope: &Scope<'_>,
        function: &str,
        name: Token<'a>,
    ) -> Result<Filter, ODataError> {
        let arguments = self.arguments(name)?;
        let property = unquote(&arguments.property);
        let segments: Vec<&str> = property.split('/').collect();
        let found = resolve::column(scope.table, &segments, arguments.property.position)?;
        let fault = |message: &str| ODataError::new(name.position, format!("{}: {message}", excerpt(function)));
        let values = || arguments.values.iter().map(|t| listed(&found, t)).collect::<Result<Vec<Value>, _>>();
        let filter = match function {
            "In" => Filter::In(found.path.clone(), values()?),
            "NotIn" => Filter::Not(Box::new(Filter::In(found.path.clone(), values()?))),
            "Between" | "NotBetween" => {
                let values = values()?;
                let [low, high] = values.as_slice() else { return Err(fault("takes two values.")) };
                let between = compare(&found, Compare::GreaterOrEqual, low.clone()).and(compare(
                    &found,
                    Compare::LessOrEqual,
                    high.clone(),
                ));
                if function == "Between" { between } else { Filter::Not(Box::new(between)) }
            }
            "EqualUserId" | "NotEqualUserId" => {
                let user = self.reader.asker.user.ok_or_else(|| fault("needs a signed-in user."))?;
                let value = match found.column.map(|c| &c.kind) {
                    Some(ColumnKind::Lookup([one])) => Value::Ref(model::Ref::new(one, user)),
                    _ => Value::Id(user),
                };
                let how = if function == "EqualUserId" { Compare::Equal } else { Compare::NotEqual };
                Filter::Compare(found.path.clone(), how, value)
            }
            _ => {
                if !matches!(found.column.map(|c| &c.kind), Some(ColumnKind::Time)) {
                    return Err(fault("is not supported on this column."));
                }
                self.about_time(&found, function, &arguments.values, name)?
            }
        };
        Ok(found.condition(filter, false))
    }

    fn arguments(&mut self, name: Token<'a>) -> Result<Arguments<'a>, ODataError> {
        self.expect(b'(')?;
        let mut property = None;
        let mut values = Vec::new();
        loop {
            let parameter = self.next();
            self.expect(b'=')?;
            match parameter.text {
                "PropertyName" => property = Some(self.value()?),
                "PropertyValues" => {
                    self.expect(b'[')?;
                    while !self.accept(b']') {
                        values.push(self.value()?);
                        if !self.accept(b',') && self.peek().kind != Kind::Sign(b']') {
                            return Err(self.unexpected());
                        }
                    }
                }
                "PropertyValue" | "PropertyValue1" | "PropertyValue2" => values.push(self.value()?),
                _ => {
                    return Err(ODataError::new(
                        parameter.position,
                        format!("There is no parameter '{}'.", excerpt(parameter.text)),
                    ));
                }
            }
            if !self.accept(b',') {
                break;
            }
        }
        self.expect(b')')?;
        let property =
            property.ok_or_else(|| ODataError::new(name.position, "The parameter 'PropertyName' is missing."))?;
        Ok(Arguments { property, values })
    }

    fn value(&mut self) -> Result<Token<'a>, ODataError> {
        match self.peek().kind {
            Kind::Text | Kind::Bare | Kind::Word => Ok(self.next()),
            _ => Err(self.unexpected()),
        }
    }

    fn about_time(
        &self,
        found: &Found,
        function: &str,
        values: &[Token<'_>],
        name: Token<'_>,
    ) -> Result<Filter, ODataError> {
        let fault = |message: &str| ODataError::new(name.position, format!("{}: {message}", excerpt(function)));
        if let "On" | "NotOn" | "OnOrAfter" | "OnOrBefore" = function {
            let text = values.first().map(unquote).ok_or_else(|| fault("takes a date."))?;
            let start =
                text.get(..10).and_then(day).filter(|_| time(&text).is_some()).ok_or_else(|| fault("takes a date."))?;
            let end = start.checked_add(SignedDuration::from_hours(24)).map_err(|_| fault("takes a date."))?;
            return Ok(match function {
                "OnOrAfter" => compare(found, Compare::GreaterOrEqual, Value::Time(start)),
                "OnOrBefore" => compare(found, Compare::Less, Value::Time(end)),
                "On" => within(found, start, end),
                _ => Filter::Not(Box::new(within(found, start, end))),
            });
        }
        let now = self.reader.asker.now.ok_or_else(|| fault("is not supported here."))?;
        let number = match values.first() {
            Some(token) => unquote(token)
                .parse::<i32>()
                .ok()
                .filter(|n| (1..=100_000).contains(n))
                .ok_or_else(|| fault("takes a number from 1 to 100000."))?,
            None => 0,
        };
        match relative(function, number, now) {
            Some(Relative::Within(start, end)) => Ok(within(found, start, end)),
            Some(Relative::Before(end)) => Ok(compare(found, Compare::Less, Value::Time(end))),
            None => {
                let message =
                    format!("An unknown function with name 'Microsoft.Dynamics.CRM.{}' was found.", excerpt(function));
                Err(ODataError::new(name.position, message))
            }
        }
    }
}

enum Relative {
    Within(Timestamp, Timestamp),
    Before(Timestamp),
}

/// The stretch of time that a function names, days being those of UTC.
fn relative(function: &str, number: i32, now: Timestamp) -> Option<Relative> {
    let today = jiff::tz::Offset::UTC.to_datetime(now).date();
    let days = |from: i64, to: i64| {
        let at = |n: i64| today.checked_add(Span::new().try_days(n).ok()?).ok().and_then(midnight);
        Some(Relative::Within(at(from)?, at(to)?))
    };
    let months = |first: Date, count: i32| {
        let end = first.checked_add(Span::new().try_months(count).ok()?).ok()?;
        Some(Relative::Within(midnight(first)?, midnight(end)?))
    };
    let first_of_month = today.first_of_month();
    match function {
        "Today" => return days(0, 1),
        "Yesterday" => return days(-1, 0),
        "Tomorrow" => return days(1, 2),
        "Last7Days" => return days(-7, 1),
        "Next7Days" => return days(0, 8),
        "ThisMonth" => return months(first_of_month, 1),
        "LastMonth" => return months(first_of_month.checked_sub(Span::new().try_months(1).ok()?).ok()?, 1),
        "NextMonth" => return months(first_of_month.checked_add(Span::new().try_months(1).ok()?).ok()?, 1),
        "ThisYear" => return months(today.first_of_year(), 12),
        _ => {}
    }
    let (kind, unit) = function.split_once('X')?;
    if number == 0 {
        return None;
    }
    let back = shifted(now, unit, -number)?;
    match kind {
        "Last" => Some(Relative::Within(back, now)),
        "Next" => Some(Relative::Within(now, shifted(now, unit, number)?)),
        "OlderThan" => Some(Relative::Before(back)),
        _ => None,
    }
}

fn shifted(now: Timestamp, unit: &str, number: i32) -> Option<Timestamp> {
    let n = i64::from(number);
    match unit {
        "Minutes" => now.checked_add(SignedDuration::from_mins(n)).ok(),
        "Hours" => now.checked_add(SignedDuration::from_hours(n)).ok(),
        "Days" => now.checked_add(SignedDuration::from_hours(24 * n)).ok(),
        "Weeks" => now.checked_add(SignedDuration::from_hours(24 * 7 * n)).ok(),
        "Months" | "Years" => {
            let months = if unit == "Years" { n * 12 } else { n };
            let local =
                jiff::tz::Offset::UTC.to_datetime(now).checked_add(Span::new().try_months(months).ok()?).ok()?;
            jiff::tz::Offset::UTC.to_timestamp(local).ok()
        }
        _ => None,
    }
}

fn compare(found: &Found, how: Compare, value: Value) -> Filter {
    Filter::Compare(found.path.clone(), how, value)
}

/// From `start` on, before `end`.
fn within(found: &Found, start: Timestamp, end: Timestamp) -> Filter {
    compare(found, Compare::GreaterOrEqual, Value::Time(start)).and(compare(found, Compare::Less, Value::Time(end)))
}

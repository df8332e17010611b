//! Dataverse's own functions: always with the namespace and named parameters.

use model::query::Filter;

use super::crm::{self, Fault};
use super::filter::{Parser, Scope};
use super::lexer::{Kind, Token};
use super::literal::{incompatible, unquote};
use super::resolve;
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
        let values: Vec<String> = arguments.values.iter().map(unquote).collect();
        let filter = crm::condition(function, &found, &values, &self.reader.asker).map_err(|fault| match fault {
            Fault::Value(n) => {
                let token = arguments.values.get(n).unwrap_or(&name);
                incompatible(&found, token)
            }
            Fault::Said(message) => ODataError::new(name.position, format!("{}: {message}", excerpt(function))),
            Fault::Unknown => {
                let message =
                    format!("An unknown function with name 'Microsoft.Dynamics.CRM.{}' was found.", excerpt(function));
                ODataError::new(name.position, message)
            }
        })?;
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
}

//! How a message looks where others have their own form for it.

use std::collections::BTreeMap;

use thiserror::Error;

/// What a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON: what is put into it becomes part of a string.
    Json,
    /// Plain text, where no field can begin a new line but one of lines.
    Text,
}

/// What is put into a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// One line, whatever is in it.
    Line(String),
    /// Some, each of which is one.
    Lines(Vec<String>),
}

/// A text with places in it: `{{text}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    form: Form,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

/// What is no template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// A place that nothing ends.
    #[error("line {line}: `{{{{` has no `}}}}` after it")]
    Open {
        /// From 1.
        line: usize,
    },
    /// A place for what there isn't.
    #[error("line {line}: there is no `{field}`; there are {known}")]
    Unknown {
        /// From 1.
        line: usize,
        /// What it names.
        field: String,
        /// What it could.
        known: String,
    },
    /// It makes no JSON.
    #[error("what it makes is no JSON: {0}; write each place between quotes, as in \"{{{{text}}}}\"")]
    NotJson(String),
}

impl Template {
    /// Reads a template whose places may be for these fields.
    ///
    /// # Errors
    /// [`TemplateError`], with the line.
    pub fn read(text: &str, form: Form, fields: &[&str]) -> Result<Template, TemplateError> {
        let (mut parts, mut rest, mut line) = (Vec::new(), text, 1);
        while let Some((before, place)) = rest.split_once("{{") {
            line += before.matches('\n').count();
            let (field, after) = place.split_once("}}").ok_or(TemplateError::Open { line })?;
            let field = field.trim();
            if !fields.contains(&field) {
                let (field, known) = (field.to_owned(), fields.join(", "));
                return Err(TemplateError::Unknown { line, field, known });
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Field(field.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let template = Template { form, parts };
        if form == Form::Json {
            let some = fields.iter().map(|field| (*field, Field::Lines(Vec::new()))).collect();
            serde_json::from_str::<serde_json::Value>(&template.fill(&some))
                .map_err(|error| TemplateError::NotJson(error.to_string()))?;
        }
        Ok(template)
    }

    /// What it makes.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The text with the fields in their places; one that isn't there is empty.
    pub fn fill(&self, fields: &BTreeMap<&str, Field>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Field(name) => match fields.get(name.as_str()) {
                Some(Field::Line(line)) => self.written(line),
                Some(Field::Lines(lines)) => {
                    let lines: Vec<String> = lines.iter().map(|line| self.written(line)).collect();
                    lines.join(self.line_break())
                }
                None => String::new(),
            },
        };
        self.parts.iter().map(part).collect()
    }

    fn line_break(&self) -> &'static str {
        match self.form {
            Form::Json => "\\n",
            Form::Text => "\n",
        }
    }

    fn written(&self, value: &str) -> String {
        match self.form {
            Form::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
            }
            // A line break would begin a new header of a mail.
            Form::Text => value.split(['\r', '\n']).collect::<Vec<_>>().join(" "),
        }
    }
}

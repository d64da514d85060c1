//! Rendering: templates with the words of one language. Every value inside Arabic text is isolated by `bdi`.

use std::sync::OnceLock;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::fault::Fault;
use crate::http::language::Language;

const TEMPLATES: [(&str, &str); 6] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("pay.html", include_str!("templates/pay.html")),
    ("transfer.html", include_str!("templates/transfer.html")),
    ("receipt.html", include_str!("templates/receipt.html")),
    ("taken_back.html", include_str!("templates/taken_back.html")),
    ("stop.html", include_str!("templates/stop.html")),
];

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).expect("the templates parse; a test renders each");
        }
        environment
    })
}

/// One page in one language; `values` is what the template shows.
pub fn render(name: &str, language: Language, live: bool, values: impl Serialize) -> Result<String, Fault> {
    let arabic = language == Language::Arabic;
    let template = environment().get_template(name).map_err(|error| Fault::Other(error.to_string()))?;
    template
        .render(
            context! { ar => arabic, lang => language.tag(), live => live, v => Value::from(Serde(values)) },
        )
        .map_err(|error| Fault::Other(format!("{error:#}")))
}

//! The sandbox's pages and files are templates: what they look like can be read in `templates/`.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

const SOURCES: [(&str, &str); 4] = [
    ("page.html", include_str!("templates/page.html")),
    ("camt053.xml", include_str!("templates/camt053.xml")),
    ("pain002.xml", include_str!("templates/pain002.xml")),
    ("mt940.txt", include_str!("templates/mt940.txt")),
];

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual delimiters fit together"));
    for (name, source) in SOURCES {
        environment.add_template(name, source).expect("the templates are part of the program and tested");
    }
    environment
});

/// A filled template; `.html` and `.xml` are escaped.
pub fn render(name: &str, context: Value) -> String {
    let template = TEMPLATES.get_template(name).expect("the templates are part of the program and tested");
    template.render(context).expect("the templates are part of the program and tested")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        for (name, _) in SOURCES {
            assert!(TEMPLATES.get_template(name).is_ok(), "{name}");
        }
    }
}

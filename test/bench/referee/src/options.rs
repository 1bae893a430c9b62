//! Command-line options.

use std::str::FromStr;

/// `--name value` pairs and flags.
pub struct Options {
    given: Vec<(String, String)>,
}

impl Options {
    /// Everything that is in none of the two lists is an error.
    pub fn parse(mut words: impl Iterator<Item = String>, valued: &[&str], flags: &[&str]) -> Result<Self, String> {
        let mut given = Vec::new();
        while let Some(name) = words.next() {
            if flags.contains(&name.as_str()) {
                given.push((name, String::new()));
            } else if valued.contains(&name.as_str()) {
                let value = words.next().ok_or(format!("{name}: give a value"))?;
                given.push((name, value));
            } else {
                return Err(format!(
                    "{name}: give one of {}, {}",
                    valued.join(", "),
                    flags.join(", ")
                ));
            }
        }
        Ok(Options { given })
    }

    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// In the order in which they were given.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.given
            .iter()
            .filter(move |(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).last()
    }

    /// `None` when it was not given.
    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |value: &str| value.parse().map_err(|_| format!("{name} {value}: give a number"));
        self.text(name).map(parse).transpose()
    }

    /// Numbers with commas between them.
    pub fn numbers<T: FromStr>(&self, name: &str) -> Result<Vec<T>, String> {
        let parse = |value: &str| value.parse().map_err(|_| format!("{name} {value}: give numbers"));
        self.text(name)
            .into_iter()
            .flat_map(|text| text.split(','))
            .map(parse)
            .collect()
    }
}

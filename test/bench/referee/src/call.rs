//! The tool call that is made again and again, and what is a right answer to it.

const PLACE: &str = "{text}";

/// A tool call whose answer can be checked.
pub struct Call {
    /// JSON of the params before the text of each call.
    pub before: String,
    /// And after it.
    pub after: String,
    /// The answer must contain the text.
    pub echoes: bool,
    /// The answer has at least so many bytes.
    pub min_bytes: usize,
    /// The answer is an event stream with exactly so many progress notifications.
    pub events: Option<usize>,
}

impl Call {
    /// `params` is JSON with one `{text}`: no two calls are alike, so that nothing on the way can answer by itself.
    pub fn new(params: &str, echoes: bool, min_bytes: usize, events: Option<usize>) -> Result<Self, String> {
        let (before, after) = match params.split(PLACE).collect::<Vec<_>>()[..] {
            [before, after] => (before.to_owned(), after.to_owned()),
            _ => return Err(format!("--params {params}: give JSON with {PLACE} in it once")),
        };
        if serde_json::from_str::<serde_json::Value>(&format!("{before}probe{after}")).is_err() {
            return Err(format!("--params {params}: give JSON"));
        }
        Ok(Call {
            before,
            after,
            echoes,
            min_bytes,
            events,
        })
    }

    /// What is wrong with the answer to the call `id` with this text; the words are those of the gateway's own load generator.
    pub fn check(&self, status: u16, body: &[u8], id: u64, text: &str) -> Result<(), String> {
        if status != 200 {
            return Err(format!("HTTP status {status}"));
        }
        let body = std::str::from_utf8(body).map_err(|_| "no UTF-8".to_owned())?;
        if body.contains("\"error\":") {
            return Err(format!("JSON-RPC error {}", code_in(body)));
        }
        if body.contains("\"isError\":true") || body.contains("\"isError\": true") {
            return Err("the tool failed".to_owned());
        }
        if !answers(body, id) {
            return Err("another id".to_owned());
        }
        if self.echoes && !body.contains(text) {
            return Err("another text".to_owned());
        }
        if body.len() < self.min_bytes {
            return Err(format!("only {} bytes", body.len()));
        }
        let Some(wanted) = self.events else { return Ok(()) };
        match body.matches("\"notifications/progress\"").count() {
            events if events == wanted => Ok(()),
            events => Err(format!("{events} events instead of {wanted}")),
        }
    }
}

/// Is there a message with this id? Python writes a space after the colon.
fn answers(body: &str, id: u64) -> bool {
    body.match_indices("\"id\":").any(|(at, key)| {
        let rest = body[at + key.len()..].trim_start_matches(' ');
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse() == Ok(id)
    })
}

fn code_in(body: &str) -> &str {
    let rest = body
        .split_once("\"code\":")
        .map_or("", |(_, rest)| rest.trim_start_matches(' '));
    rest.split(|character: char| character != '-' && !character.is_ascii_digit())
        .next()
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(call: &Call, status: u16, body: &str) -> Option<String> {
        call.check(status, body.as_bytes(), 7, "hello").err()
    }

    #[test]
    fn an_answer_is_right_or_it_is_said_what_is_wrong() {
        let call = Call::new(r#"{"t":"{text}"}"#, true, 30, Some(1)).unwrap();
        let event = r#"{"method":"notifications/progress"}"#;
        assert_eq!(
            fault(&call, 200, &format!(r#"{event}{{"id":7,"result":"hello"}}"#)),
            None
        );
        assert_eq!(
            fault(&call, 200, &format!(r#"{event}{{"id": 7,"result":"hello"}}"#)),
            None
        );
        let faults = [
            (503, "", "HTTP status 503"),
            (
                200,
                r#"{"id":7,"error":{"code":-32000,"message":"hello"}}"#,
                "JSON-RPC error -32000",
            ),
            (200, r#"{"id":7,"result":{"isError":true}}"#, "the tool failed"),
            (200, r#"{"id":71,"result":"hello"}"#, "another id"),
            (200, r#"{"id":7,"result":"hallo"}"#, "another text"),
            (200, r#"{"id":7,"result":"hello"}"#, "only 25 bytes"),
            (200, r#"{"id":7,"result":"hello hello hello"}"#, "0 events instead of 1"),
        ];
        for (status, body, said) in faults {
            assert_eq!(fault(&call, status, body), Some(said.to_owned()));
        }
    }

    #[test]
    fn params_are_json_with_one_place_for_the_text() {
        for (params, fix) in [("{}", "JSON with {text} in it once"), ("{text}{", "JSON")] {
            let said = Call::new(params, true, 0, None).err();
            assert_eq!(said, Some(format!("--params {params}: give {fix}")));
        }
    }
}

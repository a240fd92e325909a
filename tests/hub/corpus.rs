//! Hostile documents, one file per attack in `corpus/`.
//!
//! A file says in its first lines what the attack is. Each document begins with a line `-- name | CODE limit`: what it
//! must be refused with, and over which limit. After the document may stand a line `operation: NAME` and a line
//! `variables: JSON`. Large documents are written short:
//!
//! - `«text»×9` is the text nine times; these may stand inside one another.
//! - `°` in it is how often it stood there before, `†` one more; `◆` is `†` of the next one around.
//! - `‹FEFF›` is the character of that number.

/// A document, and how it must be refused.
pub struct Hostile {
    pub name: String,
    pub code: String,
    /// The limit that it is over, for `QUERY_REFUSED`.
    pub counted: Option<String>,
    pub document: String,
    pub operation: Option<String>,
    /// As JSON, which may say a key twice.
    pub variables: Option<String>,
}

const FILES: [(&str, &str); 11] = [
    ("filters", include_str!("corpus/filters.txt")),
    ("floods", include_str!("corpus/floods.txt")),
    ("fragments", include_str!("corpus/fragments.txt")),
    ("introspection", include_str!("corpus/introspection.txt")),
    ("lists", include_str!("corpus/lists.txt")),
    ("nesting", include_str!("corpus/nesting.txt")),
    ("scanner", include_str!("corpus/scanner.txt")),
    ("selections", include_str!("corpus/selections.txt")),
    ("validation", include_str!("corpus/validation.txt")),
    ("variables", include_str!("corpus/variables.txt")),
    ("words", include_str!("corpus/words.txt")),
];

/// Every hostile document.
pub fn corpus() -> Vec<Hostile> {
    FILES.iter().flat_map(|(file, text)| text.split("\n-- ").skip(1).map(|entry| hostile(file, entry))).collect()
}

fn hostile(file: &str, entry: &str) -> Hostile {
    let (head, body) = entry.split_once('\n').unwrap_or((entry, ""));
    let (name, expected) = head.split_once(" | ").unwrap_or_else(|| panic!("{file}: `{head}` expects nothing"));
    let mut expected = expected.split(' ');
    let mut lines: Vec<&str> = body.split('\n').collect();
    if lines.last() == Some(&"") {
        lines.pop();
    }
    let mut last = |start: &str| {
        let value = lines.last()?.strip_prefix(start)?;
        lines.pop();
        Some(expand(value))
    };
    let variables = last("variables: ");
    let operation = last("operation: ");
    Hostile {
        name: format!("{file}: {name}"),
        code: expected.next().expect("a code").to_owned(),
        counted: expected.next().map(str::to_owned),
        document: expand(&lines.join("\n")),
        operation,
        variables,
    }
}

/// Writes a short text out.
pub fn expand(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['«', '‹']) {
        out.push_str(&rest[..at]);
        if let Some(after) = rest[at..].strip_prefix('‹') {
            let (number, after) = after.split_once('›').expect("a number");
            let number = u32::from_str_radix(number, 16).expect("a number");
            out.push(char::from_u32(number).expect("a character"));
            rest = after;
            continue;
        }
        let (body, after) = repeated(&rest[at..]);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let count: usize = after[..digits].parse().expect("how often");
        (0..count).for_each(|i| out.push_str(&expand(&numbered(body, i))));
        rest = &after[digits..];
    }
    out.push_str(rest);
    out
}

/// The text between `«` and its `»×`, and what follows that.
fn repeated(text: &str) -> (&str, &str) {
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '«' => depth += 1,
            '»' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let after = text[at..].strip_prefix("»×").expect("how often");
            return (&text['«'.len_utf8()..at], after);
        }
    }
    panic!("`{text}` does not end")
}

fn numbered(body: &str, i: usize) -> String {
    let mut depth = 0;
    let mut out = String::new();
    for character in body.chars() {
        match (character, depth) {
            ('°', 0) => out.push_str(&i.to_string()),
            ('†', 0) | ('◆', 1) => out.push_str(&(i + 1).to_string()),
            (character, _) => {
                depth += i32::from(character == '«') - i32::from(character == '»');
                out.push(character);
            }
        }
    }
    out
}

//! One pass over the text, before anything is parsed: the library's parser overflows its stack on
//! deeply nested values, and takes its time over comments and white space.
//!
//! The lexical grammar is that of the GraphQL specification. Where the library's is laxer – `00` is two numbers to
//! it, and a block string that never ends an empty one – the text is refused, lest it hide something.

use super::Refused;
use super::limits::Limit;
use async_graphql::Pos;
use std::borrow::Cow;

/// How many bytes of a string or of white space count as one token: they cost the parser as much.
const BYTES_A_TOKEN: u64 = 16;

/// A text that is worth parsing.
#[derive(Debug)]
pub(super) struct Scanned<'t> {
    /// The text without its comments: those end with their line, so no token moves.
    pub(super) text: Cow<'t, str>,
    /// How many tokens it has.
    pub(super) tokens: u64,
}

/// Bounds a text.
///
/// # Errors
///
/// The text is over a limit, or something in it is no token.
pub(super) fn scan(text: &str) -> Result<Scanned<'_>, Refused> {
    Limit::Length.check(text.len() as u64)?;
    let counts = count(text).map_err(|at| Refused::Syntax(Some(position(text, at))))?;
    Limit::Nesting.check(counts.nesting)?;
    Limit::Tokens.check(counts.tokens)?;
    Limit::Word.check(counts.word)?;
    Limit::Directives.check(counts.directives)?;
    Ok(Scanned { text: without(text, &counts.comments), tokens: counts.tokens })
}

#[derive(Debug, Default)]
struct Counts {
    nesting: u64,
    tokens: u64,
    word: u64,
    directives: u64,
    /// Where the comments begin, and how long they are.
    comments: Vec<(usize, usize)>,
}

/// What a text has, or the place in it that is no token.
fn count(text: &str) -> Result<Counts, usize> {
    let mut counts = Counts::default();
    let (mut at, mut depth) = (0, 0u64);
    while let Some((item, length)) = text.as_bytes().get(at..).and_then(item) {
        let bytes = length as u64;
        counts.tokens += match item {
            Item::Comment => 0,
            Item::Blank => bytes / BYTES_A_TOKEN,
            Item::String => 1 + bytes / BYTES_A_TOKEN,
            // The library reads `nullnull` as two values.
            Item::Keyword => bytes.div_ceil(4),
            _ => 1,
        };
        match item {
            Item::Open => {
                depth += 1;
                counts.nesting = counts.nesting.max(depth);
            }
            Item::Close => depth = depth.saturating_sub(1),
            Item::Word | Item::Keyword => counts.word = counts.word.max(bytes),
            Item::Directive => counts.directives += 1,
            Item::Comment => counts.comments.push((at, length)),
            Item::Stray => return Err(at),
            Item::Blank | Item::String | Item::Punctuation => {}
        }
        at += length;
    }
    Ok(counts)
}

/// What stands at the beginning of a text.
enum Item {
    Blank,
    Comment,
    Open,
    Close,
    /// A name or a number.
    Word,
    /// A name that begins like a value of its own.
    Keyword,
    String,
    Directive,
    Punctuation,
    /// No token begins like this.
    Stray,
}

/// The item at the beginning of a text, and its length in bytes.
fn item(rest: &[u8]) -> Option<(Item, usize)> {
    let or_stray = |item, length: Option<usize>| length.map_or((Item::Stray, 1), |length| (item, length));
    Some(match rest {
        [] => return None,
        [b'{' | b'[' | b'(', ..] => (Item::Open, 1),
        [b'}' | b']' | b')', ..] => (Item::Close, 1),
        [b' ' | b'\t' | b'\n' | b'\r' | b',', ..] => (Item::Blank, run(rest, is_blank)),
        [0xef, 0xbb, 0xbf, ..] => (Item::Blank, 3),
        [b'#', ..] => (Item::Comment, run(rest, |byte| !matches!(byte, b'\n' | b'\r'))),
        [b'"', b'"', b'"', block @ ..] => or_stray(Item::String, block_string(block).map(|length| length + 3)),
        [b'"', string @ ..] => or_stray(Item::String, short_string(string).map(|length| length + 1)),
        [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => (word(rest), run(rest, is_word)),
        [b'0'..=b'9' | b'-', ..] => or_stray(Item::Word, number(rest)),
        [b'.', b'.', b'.', ..] => (Item::Punctuation, 3),
        [b'@', ..] => (Item::Directive, 1),
        [b'!' | b'$' | b'&' | b':' | b'=' | b'|', ..] => (Item::Punctuation, 1),
        _ => (Item::Stray, 1),
    })
}

/// How many bytes at the beginning of a text are so.
fn run(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !is(*byte)).unwrap_or(text.len())
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',')
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn word(rest: &[u8]) -> Item {
    let keyword = [&b"true"[..], b"false", b"null"].iter().any(|keyword| rest.starts_with(keyword));
    if keyword { Item::Keyword } else { Item::Word }
}

/// The length of a number: no leading zero, and neither a digit, a name nor a point behind it.
fn number(text: &[u8]) -> Option<usize> {
    let digits = |at: usize| run(text.get(at..).unwrap_or_default(), |byte| byte.is_ascii_digit());
    let is = |at: usize, any: &[u8]| text.get(at).is_some_and(|byte| any.contains(byte));
    let mut at = usize::from(is(0, b"-"));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && is(at, b"0")) {
        return None;
    }
    at += whole;
    if is(at, b".") {
        let fraction = digits(at + 1);
        at += 1 + fraction;
        if fraction == 0 {
            return None;
        }
    }
    if is(at, b"eE") {
        at += 1 + usize::from(is(at + 1, b"+-"));
        let exponent = digits(at);
        at += exponent;
        if exponent == 0 {
            return None;
        }
    }
    let goes_on = text.get(at).is_some_and(|byte| is_word(*byte) || *byte == b'.');
    (!goes_on).then_some(at)
}

/// The length of a string after its quote, the closing quote among it; it ends on its line.
fn short_string(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = matches!(byte, b'\n' | b'\r') || (*byte == b'"' && !escaped);
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.filter(|end| text.get(*end) == Some(&b'"')).map(|end| end + 1)
}

/// The length of a block string after its three quotes, the closing ones among it.
fn block_string(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match text.get(at..)? {
            [] => return None,
            [b'\\', b'"', b'"', b'"', ..] => at += 4,
            [b'"', b'"', b'"', ..] => return Some(at + 3),
            _ => at += 1,
        }
    }
}

fn without<'t>(text: &'t str, comments: &[(usize, usize)]) -> Cow<'t, str> {
    if comments.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (at, length) in comments {
        kept.push_str(text.get(from..*at).unwrap_or_default());
        from = at + length;
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(kept)
}

/// The line and column of a byte, both from 1.
fn position(text: &str, at: usize) -> Pos {
    let before = text.get(..at).unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let line = before.split('\n').count();
    let column = before.split('\n').next_back().unwrap_or_default().chars().count() + 1;
    Pos { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> (u64, u64) {
        let counts = count(text).expect("tokens only");
        (counts.nesting, counts.tokens)
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        assert_eq!(counts(r#"{ a(b: "[[[\"[[", c: """ {{{ \""" {{ """) } # [[[["#).0, 2);
        assert_eq!(counts("#{{{\r{a}").0, 1);
        assert_eq!(counts(r#"[["\\"]["#).0, 2);
        assert_eq!(counts("\u{feff}{a}").0, 1);
    }

    #[test]
    fn tokens_are_those_of_the_specification() {
        for (text, tokens) in [
            ("{a}", 3),
            ("query A($a: [Int!]! = 1) @b { ...c }", 20),
            ("{a(b: -1.5e-3, c: $d)}", 12),
            ("{a(b: \"\")}", 8),
            ("{a(b: \"0123456789abcdef\")}", 9),
            ("{a                 b}", 5),
            ("{a #                  \nb}", 4),
            ("{nullnullnull}", 5),
        ] {
            assert_eq!(counts(text).1, tokens, "{text}");
        }
    }

    #[test]
    fn what_is_no_token_is_told_with_its_place() {
        for (text, line, column) in [
            ("{a(b: 00)}", 1, 7),
            ("{a(b: 1a)}", 1, 7),
            ("{a(b: 1.)}", 1, 7),
            ("{a(b: -)}", 1, 7),
            ("{a(b: 1e)}", 1, 7),
            ("{a(b: 1.2.3)}", 1, 7),
            ("{\n  \"åå\" ?}", 2, 8),
            ("{a(b:\"\"\"x\" [[[)}", 1, 6),
            ("{a(b:\"x\n\")}", 1, 6),
            ("\r\n\r\\", 3, 1),
            ("{ 👧 }", 1, 3),
        ] {
            let Err(Refused::Syntax(Some(at))) = scan(text) else { panic!("{text} is scanned") };
            assert_eq!((at.line, at.column), (line, column), "{text}");
        }
    }

    #[test]
    fn comments_are_left_out_and_nothing_else() {
        let text = "{a #x\r\n\"#\" # å\n b(c: \"\"\"#\"\"\") }#";
        assert_eq!(scan(text).expect("tokens only").text, "{a \r\n\"#\" \n b(c: \"\"\"#\"\"\") }");
    }
}

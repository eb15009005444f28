//! What a word that is being typed may become, by the place where it stands.

use super::command;
use super::vocabulary::{KEYWORDS, Vocabulary};
use crate::lex::{Kind, Piece, pieces};

/// What could stand in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Completion {
    /// One of these, from this byte on.
    Words { start: usize, words: Vec<String> },
    /// The name of a file.
    File,
}

/// What the word before `position` may become.
pub(super) fn complete(text: &str, position: usize, known: &Vocabulary) -> Completion {
    let Some((before, _)) = text.split_at_checked(position) else {
        return Completion::Words { start: position, words: Vec::new() };
    };
    if let Some(found) = of_command(before, known) {
        return found;
    }
    let all = pieces(text);
    let said: Vec<Piece<'_>> =
        pieces(before).into_iter().filter(|piece| piece.kind != Kind::Space).collect();
    if let Some(last) = said.last().filter(|last| is_open(last) || last.end() < position) {
        match last.kind {
            Kind::Text { is_closed: false } => return of_open_text(&said, position),
            Kind::Comment { is_closed: false } => return nothing(position),
            _ => {}
        }
    }
    // The dotted name that the word is a part of.
    let word = said.last().filter(|last| last.end() == position && is_name(last)).copied();
    let start = word.map_or(position, |word| word.start);
    let prefix = word.map_or("", |word| word.text);
    let rest =
        if word.is_some() { said.split_last().map_or(&[][..], |(_, rest)| rest) } else { &said };
    let (path, rest) = path_before(rest, start);
    let scope = Scope::of(&all, position);
    let mut words: Vec<String> = Vec::new();
    let expects_table = expects_table(rest);
    if !path.is_empty() {
        if expects_table {
            words.extend(tables_of(&path, known));
        } else {
            words.extend(scope.columns_of(&path, known));
            if words.is_empty() {
                words.extend(tables_of(&path, known));
            }
        }
        return among(words, prefix, start);
    }
    if expects_table {
        words.extend(scope.named.iter().cloned());
        words.extend(known.schemas.get(&known.usual).into_iter().flat_map(|t| t.keys().cloned()));
        words.extend(known.schemas.keys().filter(|name| **name != known.usual).cloned());
        let words = words.iter().map(|word| quoted(word)).collect();
        return among(words, prefix, start);
    }
    words.extend(scope.columns(known).iter().map(|column| quoted(column)));
    words.extend(scope.aliases());
    let mut found = matching(words, prefix);
    if !prefix.is_empty() || rest.is_empty() {
        let functions = known.functions.iter().map(|name| format!("{name}("));
        found.extend(matching(keywords(prefix).chain(functions).collect(), prefix));
    }
    Completion::Words { start, words: found }
}

fn nothing(start: usize) -> Completion {
    Completion::Words { start, words: Vec::new() }
}

fn among(words: Vec<String>, prefix: &str, start: usize) -> Completion {
    Completion::Words { start, words: matching(words, prefix) }
}

/// The words that begin so, each once, in their order.
fn matching(words: Vec<String>, prefix: &str) -> Vec<String> {
    let prefix = prefix.to_lowercase();
    let bare = prefix.trim_start_matches('"');
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let begins = word.to_lowercase().trim_start_matches('"').starts_with(bare);
        if begins && !kept.contains(&word) {
            kept.push(word);
        }
    }
    kept
}

/// Keywords in the case in which somebody began to type them.
fn keywords(prefix: &str) -> impl Iterator<Item = String> {
    let small = prefix.starts_with(char::is_lowercase);
    KEYWORDS.iter().map(move |word| if small { word.to_lowercase() } else { (*word).to_owned() })
}

fn is_open(piece: &Piece<'_>) -> bool {
    matches!(
        piece.kind,
        Kind::Text { is_closed: false }
            | Kind::Name { is_closed: false }
            | Kind::Comment { is_closed: false }
    )
}

fn is_name(piece: &Piece<'_>) -> bool {
    matches!(piece.kind, Kind::Word | Kind::Name { .. })
}

/// A name as SQL takes it: in quotes where it is not plain.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The names before a word that are joined to it by points, and what stands before them.
fn path_before<'a>(said: &'a [Piece<'a>], mut start: usize) -> (Vec<String>, &'a [Piece<'a>]) {
    let (mut path, mut rest) = (Vec::new(), said);
    while let [before @ .., name, point] = rest {
        let joined = point.text == "." && point.end() == start && name.end() == point.start;
        let Some(text) = name.name().filter(|_| joined) else { break };
        path.insert(0, text);
        (start, rest) = (name.start, before);
    }
    (path, rest)
}

/// In a string that is not closed: a file, where one is read or written.
fn of_open_text(said: &[Piece<'_>], position: usize) -> Completion {
    let before = said.iter().rev().nth(1);
    let is_file = before.is_some_and(|word| {
        ["FROM", "JOIN", "TO", "LOCATION"].iter().any(|known| word.is_word(known))
    });
    if is_file { Completion::File } else { nothing(position) }
}

/// Whether a table comes next.
fn expects_table(said: &[Piece<'_>]) -> bool {
    const BEFORE: &[&str] =
        &["FROM", "JOIN", "INTO", "DESCRIBE", "TABLE", "COPY", "VIEW", "UPDATE"];
    match said {
        [.., last] if BEFORE.iter().any(|word| last.is_word(word)) => true,
        // A list of tables goes on.
        [rest @ .., comma] if comma.text == "," => {
            let mut depth = 0_i32;
            for piece in rest.iter().rev() {
                match piece.text {
                    ")" => depth += 1,
                    "(" if depth == 0 => return false,
                    "(" => depth -= 1,
                    _ if depth != 0 => {}
                    _ if piece.is_word("FROM") => return true,
                    _ if piece.kind == Kind::Word && is_clause(piece) => return false,
                    _ => {}
                }
            }
            false
        }
        _ => false,
    }
}

/// Whether a word begins a part of a statement that has no tables in its list.
fn is_clause(piece: &Piece<'_>) -> bool {
    ["SELECT", "WHERE", "GROUP", "ORDER", "HAVING", "ON", "BY", "LIMIT", "SET", "VALUES"]
        .iter()
        .any(|word| piece.is_word(word))
}

/// The tables of a schema, or the schemas of a catalog.
fn tables_of(path: &[String], known: &Vocabulary) -> Vec<String> {
    let schema = match path {
        [catalog] if catalog == datafusion_ctct::catalog::CATALOG => {
            return known.schemas.keys().map(|name| quoted(name)).collect();
        }
        [schema] | [_, schema] => schema,
        _ => return Vec::new(),
    };
    let tables = known.schemas.get(schema).into_iter().flat_map(|tables| tables.keys());
    tables.map(|name| quoted(name)).collect()
}

/// The tables that a statement names.
#[derive(Debug, Default)]
struct Scope {
    /// What each is called, and the parts of its name.
    tables: Vec<(String, Vec<String>)>,
    /// What it names itself, with WITH.
    named: Vec<String>,
}

impl Scope {
    /// Of the statement that the position is in.
    fn of(all: &[Piece<'_>], position: usize) -> Self {
        let said: Vec<&Piece<'_>> = all.iter().filter(|piece| piece.is_said()).collect();
        let is_end = |piece: &&&Piece<'_>| piece.text == ";";
        let first = said.iter().take_while(|piece| piece.end() <= position);
        let first = first.enumerate().filter(|(_, piece)| is_end(piece)).last();
        let said = said.get(first.map_or(0, |(at, _)| at + 1)..).unwrap_or_default();
        let end = said.iter().position(|piece| piece.text == ";").unwrap_or(said.len());
        let said = said.get(..end).unwrap_or_default();
        let mut scope = Self::default();
        for (at, piece) in said.iter().enumerate() {
            let after = said.get(at + 1..).unwrap_or_default();
            let follows = |word: &str| after.first().is_some_and(|next| next.is_word(word));
            if ["FROM", "JOIN"].iter().any(|word| piece.is_word(word)) {
                scope.read_tables(after);
            } else if let (Some(name), true) = (piece.name(), follows("AS"))
                && after.get(1).is_some_and(|next| next.text == "(")
            {
                scope.named.push(name);
            }
        }
        scope
    }

    /// Reads `name [AS] alias, name alias …`.
    fn read_tables(&mut self, mut said: &[&Piece<'_>]) {
        loop {
            let mut path = Vec::new();
            while let [name, rest @ ..] = said {
                let Some(part) = name.name().filter(|_| !is_word_of_sql(name)) else { break };
                path.push(part);
                said = rest;
                match said {
                    [point, rest @ ..] if point.text == "." => said = rest,
                    _ => break,
                }
            }
            let Some(own) = path.last().cloned() else { return };
            if let [word, rest @ ..] = said
                && word.is_word("AS")
            {
                said = rest;
            }
            let alias = said.first().filter(|word| !is_word_of_sql(word)).and_then(|w| w.name());
            if alias.is_some() {
                said = said.split_first().map_or(&[][..], |(_, rest)| rest);
            }
            self.tables.push((alias.unwrap_or(own), path));
            match said {
                [comma, rest @ ..] if comma.text == "," => said = rest,
                _ => return,
            }
        }
    }

    fn columns(&self, known: &Vocabulary) -> Vec<String> {
        self.tables.iter().flat_map(|(_, path)| known.columns(path).iter().cloned()).collect()
    }

    fn columns_of(&self, path: &[String], known: &Vocabulary) -> Vec<String> {
        let called = match path {
            [alias] => self.tables.iter().find(|(called, _)| called == alias),
            _ => None,
        };
        let columns = known.columns(called.map_or(path, |(_, path)| path.as_slice()));
        columns.iter().map(|column| quoted(column)).collect()
    }

    /// What tables are called, where there are several.
    fn aliases(&self) -> Vec<String> {
        let some = self.tables.iter().filter(|_| self.tables.len() > 1);
        some.map(|(called, _)| format!("{}.", quoted(called))).collect()
    }
}

/// Whether a word is one of the language, and no name.
fn is_word_of_sql(piece: &Piece<'_>) -> bool {
    const MORE: &[&str] = &[
        "GROUP",
        "ORDER",
        "LEFT",
        "RIGHT",
        "FULL",
        "INNER",
        "OUTER",
        "CROSS",
        "NATURAL",
        "LATERAL",
        "SEMI",
        "ANTI",
        "PARTITION",
    ];
    piece.kind == Kind::Word && MORE.iter().chain(KEYWORDS).any(|word| piece.is_word(word))
}

/// Of a backslash or dot command: its name, and what follows it.
fn of_command(before: &str, known: &Vocabulary) -> Option<Completion> {
    let trimmed = before.trim_start();
    if !trimmed.starts_with(['\\', '.']) {
        return None;
    }
    let begins = before.len() - trimmed.len();
    let Some((name, rest)) = trimmed.split_once(char::is_whitespace) else {
        let words = command::names().map(str::to_owned).collect();
        return Some(among(words, trimmed, begins));
    };
    let word = rest.rsplit(char::is_whitespace).next().unwrap_or_default();
    let start = before.len() - word.len();
    let words: Vec<String> = match command::expects(name) {
        command::Expects::Table => {
            let schemas = known.schemas.iter().filter(|(name, _)| **name != known.usual);
            let others = schemas.flat_map(|(schema, tables)| {
                tables.keys().map(move |table| format!("{}.{}", quoted(schema), quoted(table)))
            });
            let usual = known.schemas.get(&known.usual).into_iter().flat_map(|t| t.keys());
            usual.map(|name| quoted(name)).chain(others).collect()
        }
        command::Expects::Connection => known.schemas.keys().cloned().collect(),
        command::Expects::File => return Some(Completion::File),
        command::Expects::One(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        command::Expects::Other => Vec::new(),
    };
    Some(among(words, word, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vocabulary {
        let table = |name: &str, columns: &[&str]| {
            (name.to_owned(), columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>())
        };
        let shop = [
            table("contacts", &["contact_id", "email_address", "updated_at"]),
            table("contact_lists", &["list_id", "name"]),
            table("Mine", &["Odd Name", "plain"]),
        ];
        let views = [table("campaign_league", &["campaign", "opens"])];
        Vocabulary {
            usual: "shop".to_owned(),
            schemas: [
                ("shop".to_owned(), shop.into()),
                ("views".to_owned(), views.into()),
                ("my_postgres".to_owned(), [].into()),
            ]
            .into(),
            functions: ["count", "coalesce", "upper"].map(str::to_owned).to_vec(),
        }
    }

    /// What can stand at the bar.
    fn at(text: &str) -> Vec<String> {
        let position = text.find('|').expect("a bar");
        match complete(&text.replace('|', ""), position, &known()) {
            Completion::Words { words, .. } => words,
            Completion::File => vec!["<file>".to_owned()],
        }
    }

    #[test]
    fn tables_follow_from_and_join() {
        assert_eq!(at("SELECT * FROM cont|"), ["contact_lists", "contacts"]);
        assert_eq!(at("select * from contacts c join |").len(), 5);
        assert_eq!(at("SELECT * FROM contacts, contact_l|"), ["contact_lists"]);
        assert_eq!(at("SELECT * FROM vie|"), ["views"]);
        assert_eq!(at("SELECT * FROM views.|"), ["campaign_league"]);
        assert_eq!(at("SELECT * FROM ctct.vi|"), ["views"]);
        assert_eq!(at("SELECT * FROM ctct.views.c|"), ["campaign_league"]);
        assert_eq!(at("WITH recent AS (SELECT 1) SELECT * FROM rec|"), ["recent"]);
        assert_eq!(at("SELECT * FROM m|"), ["\"Mine\"", "my_postgres"]);
        assert_eq!(at("DESCRIBE contact_l|"), ["contact_lists"]);
        // Another statement before it says nothing.
        assert_eq!(at("SELECT 1; SELECT * FROM contacts; SELECT lis|"), Vec::<String>::new());
    }

    #[test]
    fn columns_are_those_of_the_tables_in_scope() {
        assert_eq!(at("SELECT em| FROM contacts"), ["email_address"]);
        assert_eq!(at("SELECT c.| FROM contacts AS c").len(), 3);
        assert_eq!(at("SELECT * FROM contacts c JOIN contact_lists l ON l.|"), ["list_id", "name"]);
        assert_eq!(at("SELECT * FROM contacts c, contact_lists l WHERE l.n|"), ["name"]);
        assert_eq!(at("SELECT contacts.up| FROM contacts"), ["updated_at"]);
        assert_eq!(at("SELECT ope| FROM views.campaign_league"), ["opens"]);
        assert_eq!(at("SELECT * FROM \"Mine\" WHERE odd|"), ["\"Odd Name\""]);
        assert_eq!(at("SELECT * FROM contacts WHERE upd|"), ["updated_at"]);
        assert_eq!(at("SELECT x, | FROM contacts").len(), 3);
    }

    #[test]
    fn words_of_the_language_keep_their_case() {
        assert_eq!(at("SEL|"), ["SELECT"]);
        assert_eq!(at("sel|"), ["select"]);
        assert_eq!(at("SELECT cou|"), ["count("]);
        assert_eq!(at("SELECT coal| FROM contacts"), ["coalesce("]);
        assert_eq!(at("SELECT * FROM contacts wh|"), ["where", "when"]);
    }

    #[test]
    fn files_stand_in_quotes_and_texts_are_left_alone() {
        assert_eq!(at("SELECT * FROM 'da|"), ["<file>"]);
        assert_eq!(at("COPY contacts TO '|"), ["<file>"]);
        assert_eq!(at("SELECT * FROM contacts WHERE first_name = 'con|"), Vec::<String>::new());
        assert_eq!(at("SELECT 1 -- con|"), Vec::<String>::new());
    }

    #[test]
    fn commands_and_what_follows_them() {
        assert!(at("\\ti|").contains(&"\\timing".to_owned()));
        assert_eq!(at("\\d contact_l|"), ["contact_lists"]);
        assert_eq!(at("\\d views.ca|"), ["views.campaign_league"]);
        assert_eq!(at("\\format nd|"), ["ndjson"]);
        assert_eq!(at("\\x a|"), ["auto"]);
        assert_eq!(at(".read x|"), ["<file>"]);
        assert_eq!(at("\\c vi|"), ["views"]);
    }

    #[test]
    fn nothing_that_is_typed_makes_it_fail() {
        let text = "WITH a AS (SELECT 'ü', \"x\" FROM ctct.shop.contacts c, b) /* é */ SELECT c.é. FROM ,, .; \\d €";
        for position in 0..=text.len() + 1 {
            complete(text, position, &known());
        }
    }
}

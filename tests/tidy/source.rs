//! Files as the rules read them: comments and the insides of strings blanked, every line where it was.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// One text file of the checkout.
pub struct Source {
    /// From the top of the checkout, with `/`.
    pub path: String,
    pub text: String,
}

/// Where a rule is broken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub what: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub fn found(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }

    /// The code alone: no comments, no insides of strings, no `#[cfg(test)]` modules.
    pub fn code(&self) -> String {
        without_tests(&blank(&self.text, Keep::Code))
    }

    /// What counts as length: no comments, no `#[cfg(test)]` modules, strings whole.
    pub fn code_lines(&self) -> usize {
        let code = blank(&self.text, Keep::CodeAndStrings);
        without_tests(&code).lines().filter(|line| !line.trim().is_empty()).count()
    }

    /// Whether the file is of a kind: `store.rs`, or any file in a folder `store/`.
    pub fn is(&self, kind: &str) -> bool {
        self.path.ends_with(&format!("/{kind}.rs")) || self.path.contains(&format!("/{kind}/"))
    }

    /// The modules from the crate's root to this file: `src/intents/store.rs` is `intents::store`.
    pub fn module(&self) -> Vec<String> {
        let inside = self.path.split_once("src/").map_or("", |(_, rest)| rest);
        inside
            .trim_end_matches(".rs")
            .split('/')
            .filter(|part| !matches!(*part, "" | "mod" | "lib" | "main"))
            .map(str::to_owned)
            .collect()
    }
}

pub fn root() -> PathBuf {
    PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()))
}

/// Every text file of the checkout, in the order of their paths.
pub fn tree() -> Vec<Source> {
    let mut files = Vec::new();
    walk(&root(), "", &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 10, "the checkout was not found at {}", root().display());
    files
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of the checkout") {
        let entry = entry.expect("a file of the checkout");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().expect("a file type");
        if kind.is_dir() {
            let made = ["target", ".git", ".judges", "node_modules"].contains(&name.as_str())
                || ["fuzz/corpus", "fuzz/artifacts"].contains(&path.as_str());
            if !made {
                walk(&entry.path(), &path, files);
            }
        } else if kind.is_file()
            && path != ".git"
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push(Source { path, text });
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Code,
    CodeAndStrings,
}

/// Replaces comments (and the insides of strings) by spaces; line ends stay.
fn blank(text: &str, keep: Keep) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let (end, is_string) = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => (line_end(&chars, at), false),
            '/' if chars.get(at + 1) == Some(&'*') => (block_end(&chars, at), false),
            '"' => (string_end(&chars, at), true),
            'r' if raw_string_end(&chars, at).is_some() => {
                (raw_string_end(&chars, at).unwrap_or(at + 1), true)
            }
            '\'' => (char_end(&chars, at), true),
            _ => {
                out.push(chars[at]);
                at += 1;
                continue;
            }
        };
        if is_string && keep == Keep::CodeAndStrings {
            out.extend(&chars[at..end]);
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        }
        at = end;
    }
    out
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n)
}

fn block_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let starts_a_word = at == 0 || !is_word(chars[at - 1]) || chars[at - 1] == 'b';
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if !starts_a_word || chars.get(open) != Some(&'"') {
        return None;
    }
    let mut close = vec!['"'];
    close.extend(std::iter::repeat_n('#', hashes));
    let inside = chars[open + 1..].windows(close.len()).position(|w| w == close);
    Some(inside.map_or(chars.len(), |n| open + 1 + n + close.len()))
}

/// A character literal whole; of a lifetime only the quote.
fn char_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            chars[at + 3..].iter().position(|c| *c == '\'').map_or(chars.len(), |n| at + n + 4)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Blanks every `#[cfg(test)] mod name { .. }`.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find(MARK) {
        let start = from + found;
        from = start + MARK.len();
        let after = out[from..].trim_start();
        let open = out[from..].find(['{', ';']).map(|n| from + n);
        if let Some(open) = open
            && after.starts_with("mod ")
            && out[open..].starts_with('{')
        {
            let end = closing_brace(&out, open);
            let blanked: String =
                out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            out.replace_range(start..end, &blanked);
            from = start + blanked.len();
        }
    }
    out
}

fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

/// Lines (from 1) on which a word stands in `code`; a word may end in a sign, as `query!` does.
pub fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let ends_in_word = word.ends_with(is_word);
    let starts_in_word = word.starts_with(is_word);
    code.lines()
        .enumerate()
        .filter(|(_, line)| {
            line.match_indices(word).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + word.len()..].chars().next();
                let part_of_a_longer_word = (starts_in_word && before.is_some_and(is_word))
                    || (ends_in_word && after.is_some_and(is_word));
                !part_of_a_longer_word
            })
        })
        .map(|(n, _)| n + 1)
        .collect()
}

/// Every path from the crate's root that `code` names: `use crate::{a, b::{c, d}}` names three. `super` is resolved.
pub fn crate_paths(source: &Source) -> Vec<(usize, Vec<String>)> {
    let code = source.code();
    let chars: Vec<char> = code.chars().collect();
    let module = source.module();
    let mut paths = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if !is_word(chars[at]) || (at > 0 && (is_word(chars[at - 1]) || chars[at - 1] == ':')) {
            at += 1;
            continue;
        }
        let word: String = chars[at..].iter().take_while(|c| is_word(**c)).collect();
        if word == "crate" || word == "super" {
            let line = 1 + chars[..at].iter().filter(|c| **c == '\n').count();
            let mut tree = Vec::new();
            use_tree(&chars, at, &[], &mut tree);
            for path in tree {
                paths.push((line, from_root(&path, &module)));
            }
        }
        at += word.chars().count();
    }
    paths
}

fn from_root(path: &[String], module: &[String]) -> Vec<String> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    if supers == 0 {
        return path[1..].to_vec();
    }
    let up = module.len().saturating_sub(supers);
    module[..up].iter().cloned().chain(path[supers..].iter().cloned()).collect()
}

/// Reads `a::b::{c, d::*}` at `at`; gives where it ends.
fn use_tree(chars: &[char], mut at: usize, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let skip = |mut at: usize| {
        while chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        at
    };
    let mut path = prefix.to_vec();
    loop {
        at = skip(at);
        if chars.get(at) == Some(&'{') {
            at += 1;
            loop {
                at = skip(at);
                match chars.get(at) {
                    None => return at,
                    Some('}') => return at + 1,
                    Some(',') => at += 1,
                    Some(c) if is_word(*c) || *c == '*' || *c == '{' => {
                        at = use_tree(chars, at, &path, paths);
                    }
                    Some(_) => return at,
                }
            }
        }
        let word: String = chars[at..].iter().take_while(|c| is_word(**c)).collect();
        at += word.chars().count();
        if word.is_empty() {
            if chars.get(at) == Some(&'*') {
                at += 1;
            }
            paths.push(path);
            return at;
        }
        path.push(word);
        let next = skip(at);
        if chars.get(next) == Some(&':') && chars.get(next + 1) == Some(&':') {
            at = next + 2;
            continue;
        }
        // `c as d`
        if chars[next..].starts_with(&['a', 's', ' ']) {
            at = skip(next + 3);
            while chars.get(at).is_some_and(|c| is_word(*c)) {
                at += 1;
            }
        }
        paths.push(path);
        return at;
    }
}

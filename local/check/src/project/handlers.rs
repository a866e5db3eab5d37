//! Where functions have their code: the file that `Handler` names, and the modules of the project that it imports.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use template::{Files, Node, Source, Span};

use super::{Project, Resource};
use crate::code::{Call, Code, Function, Language, reached};

/// Files of one function: what is imported further is not read.
const FILES_MAX: usize = 40;
/// A file of this many bytes is made by a tool, not written.
const BYTES_MAX: usize = 256 * 1024;
const JAVASCRIPT: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts", "tsx", "jsx"];

/// A function's sources.
#[derive(Debug)]
pub(crate) struct Handler {
    /// The function's logical id.
    pub function: String,
    /// The name of what is called in the first file.
    pub export: String,
    /// The file that `Handler` names, then what it imports.
    pub codes: Vec<Code>,
    /// Of each file the stretches that this function uses.
    reached: Vec<Vec<Range<usize>>>,
    /// Where the code stands in the template, if it stands there.
    inline: Option<Span>,
}

impl Handler {
    fn new(function: &Resource, export: String, codes: Vec<Code>, inline: Option<Span>) -> Self {
        let reached = reached(&codes, &export);
        Self { function: function.logical_id.clone(), export, codes, reached, inline }
    }

    /// The file that `Handler` names.
    pub fn entry(&self) -> &Code {
        &self.codes[0]
    }

    /// What is called, if its form is understood.
    pub fn called(&self) -> Option<Function> {
        self.entry().function(&self.export)
    }

    /// The parts of its files that it uses.
    fn parts(&self) -> impl Iterator<Item = (&Code, &Range<usize>)> {
        self.codes.iter().zip(&self.reached).flat_map(|(code, ranges)| ranges.iter().map(move |range| (code, range)))
    }

    /// The tokens that it uses, with their files.
    pub fn tokens(&self) -> impl Iterator<Item = (&Code, usize)> {
        self.parts().flat_map(|(code, range)| range.clone().map(move |token| (code, token)))
    }

    /// Whether it uses a name.
    pub fn mentions(&self, name: &str) -> bool {
        self.parts().any(|(code, range)| code.mentions_in(range.clone(), name))
    }

    /// Whether it uses any of these names.
    pub fn mentions_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.mentions(name))
    }

    /// Calls of any of these names, with their files.
    pub fn calls<'h>(&'h self, names: &'h [&'h str]) -> impl Iterator<Item = (&'h Code, Call)> {
        self.codes.iter().zip(&self.reached).flat_map(move |(code, ranges)| {
            let is_used = |call: &Call| ranges.iter().any(|range| range.contains(&call.name));
            code.calls(names).filter(is_used).map(move |call| (code, call))
        })
    }

    /// A place in code that stands in the template, there: its line, if that can be found.
    pub fn place(&self, span: &Span) -> Span {
        let Some(inline) = self.inline.as_ref().filter(|_| Arc::ptr_eq(&span.source, &self.entry().source)) else {
            return span.clone();
        };
        let code = &span.source.text;
        let line_start = code[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let line = code[line_start..].lines().next().unwrap_or_default();
        // The same line may stand there more than once: the one with the same number of its kind before it.
        let before = code[..line_start].lines().filter(|other| other.trim() == line.trim()).count();
        let start_of = |at: usize| inline.source.text[..at].rfind('\n').map_or(0, |at| at + 1);
        let mut at = start_of(inline.start);
        let mut same = 0;
        for candidate in inline.source.text[at..].split_inclusive('\n') {
            if at > inline.end {
                break;
            }
            if candidate.trim() == line.trim() {
                if same == before {
                    let indent = candidate.len() - candidate.trim_start().len();
                    let within =
                        span.start - line_start - (line.len() - line.trim_start().len()).min(span.start - line_start);
                    let length = span.text().lines().next().map_or(0, str::len);
                    let start = at + indent + within;
                    return Span { source: Arc::clone(&inline.source), start, end: start + length };
                }
                same += 1;
            }
            at += candidate.len();
        }
        inline.clone()
    }
}

/// The sources of all functions whose sources are there.
pub fn read(project: &Project, files: &dyn Files) -> Vec<Handler> {
    project.of_kind("AWS::Lambda::Function").filter_map(|function| handler(function, files)).collect()
}

fn handler(function: &Resource, files: &dyn Files) -> Option<Handler> {
    let runtime = function.text("Runtime").unwrap_or_default();
    let handler = function.text("Handler").unwrap_or_default();
    let code = function.get("Code")?;
    if let Some(inline) = inline_of(code) {
        let language = if runtime.starts_with("python") { Language::Python } else { Language::JavaScript };
        let source = Source::new(&inline.span.source.path, inline.as_str()?);
        let codes = vec![Code::read_as(&source, language)];
        let export = handler.rsplit('.').next().unwrap_or("handler").to_owned();
        let inline = Some(inline.span.clone());
        return Some(Handler::new(function, export, codes, inline));
    }
    let root = root_of(function, code)?;
    let (path, export) = handler.rsplit_once('.').unwrap_or((handler, "handler"));
    let entry = if runtime.starts_with("provided") || handler == "bootstrap" {
        rust_entry(&root, handler, files)?
    } else {
        let candidates = with_extensions(&root.join(path), &[JAVASCRIPT, &["py"]].concat());
        first_of(candidates, files)?
    };
    let codes = with_imports(&entry, &root, files);
    Some(Handler::new(function, export.to_owned(), codes, None))
}

/// Code that stands in the template itself.
fn inline_of(code: &Node) -> Option<&Node> {
    let is_inline = code.get("S3Bucket").and_then(Node::as_str) == Some("inline");
    code.get("ZipFile").or_else(|| code.get("S3Key").filter(|_| is_inline))
}

/// The folder that a function's code lies in.
fn root_of(function: &Resource, code: &Node) -> Option<PathBuf> {
    let folder = code.span.source.folder();
    let asset = function.metadata.as_ref().and_then(|metadata| metadata.get("aws:asset:path")).and_then(Node::as_str);
    let is_local = code.get("S3Bucket").and_then(Node::as_str) == Some("local");
    let path = code.as_str().or_else(|| code.get("S3Key").filter(|_| is_local)?.as_str()).or(asset)?;
    Some(as_named(normal(&folder.join(path)), folder))
}

/// A path from where the check runs, if the template was named so: reports say it as the user would.
fn as_named(path: PathBuf, folder: &Path) -> PathBuf {
    let here = std::path::absolute(".").unwrap_or_default();
    if folder.is_absolute() {
        return path;
    }
    path.strip_prefix(normal(&here)).map(Path::to_owned).unwrap_or(path)
}

/// A crate's entry: named by the handler, or `src/main.rs`. What lies in `target/lambda/NAME` was made from the crate
/// above it.
fn rust_entry(root: &Path, handler: &str, files: &dyn Files) -> Option<Arc<Source>> {
    let text = root.to_string_lossy().replace('\\', "/");
    let (folder, name) = match text.split_once("/target/lambda/") {
        Some((folder, name)) => (PathBuf::from(folder), name.split('/').next().unwrap_or(name).to_owned()),
        None => (root.to_owned(), handler.rsplit('.').next().unwrap_or(handler).to_owned()),
    };
    let candidates = [format!("src/bin/{name}.rs"), format!("src/bin/{name}/main.rs"), "src/main.rs".to_owned()];
    first_of(candidates.iter().map(|path| folder.join(path)), files)
}

fn with_extensions(path: &Path, extensions: &[&'static str]) -> Vec<PathBuf> {
    let with = |extension: &str| PathBuf::from(format!("{}.{extension}", path.display()));
    extensions.iter().map(|extension| with(extension)).collect()
}

fn first_of(candidates: impl IntoIterator<Item = PathBuf>, files: &dyn Files) -> Option<Arc<Source>> {
    candidates.into_iter().find_map(|path| {
        let text = files.read(&path).ok()?;
        (text.len() <= BYTES_MAX).then(|| Source::new(path, text))
    })
}

/// A file and what it imports of the same project, breadth first.
fn with_imports(entry: &Arc<Source>, root: &Path, files: &dyn Files) -> Vec<Code> {
    let mut seen = HashSet::from([entry.path.clone()]);
    let mut codes: Vec<Code> = Code::read(entry).into_iter().collect();
    let mut at = 0;
    while at < codes.len() && codes.len() < FILES_MAX {
        for import in codes[at].imports() {
            let candidates = imported(&codes[at], root, &import);
            if candidates.iter().any(|path| seen.contains(path)) {
                continue;
            }
            let Some(source) = first_of(candidates, files) else { continue };
            seen.insert(source.path.clone());
            codes.extend(Code::read(&source));
        }
        at += 1;
    }
    codes
}

/// Where an import may lie.
fn imported(from: &Code, root: &Path, import: &str) -> Vec<PathBuf> {
    let folder = from.source.folder();
    match from.language {
        Language::JavaScript => {
            let path = normal(&folder.join(import));
            let mut candidates = vec![path.clone()];
            // TypeScript says ./x.js of x.ts.
            let bare = path.with_extension("");
            let is_made = path.extension().is_some_and(|extension| JAVASCRIPT.iter().any(|one| extension == *one));
            candidates.extend(with_extensions(if is_made { &bare } else { &path }, JAVASCRIPT));
            candidates.extend(with_extensions(&path.join("index"), JAVASCRIPT));
            candidates.retain(|path| crate::code::is_code(path));
            candidates
        }
        Language::Python => {
            let folders = if import.starts_with("./") { vec![folder] } else { vec![root, folder] };
            let paths = folders.into_iter().map(|folder| normal(&folder.join(import)));
            paths.flat_map(|path| [path.with_extension("py"), path.join("__init__.py")]).collect()
        }
        Language::Rust => {
            let stem = from.source.path.file_stem().unwrap_or_default();
            let is_root = ["main", "lib", "mod"].iter().any(|name| stem == *name);
            let folder = if is_root { folder.to_owned() } else { folder.join(stem) };
            vec![folder.join(format!("{import}.rs")), folder.join(import).join("mod.rs")]
        }
    }
}

/// Without `.` and `x/..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

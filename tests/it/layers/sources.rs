//! Sources as a graph: which file imports from which.
//!
//! A path is followed to the file that has what it names, over whatever hands that on. What is compiled for tests,
//! models or documentation alone is left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The files of a crate, by the paths of their modules; the root is the empty one.
pub struct Sources {
    pub files: BTreeMap<Module, File>,
}

/// The path of a module from the root on.
pub type Module = Vec<String>;

/// What a file has.
#[derive(Default)]
pub struct File {
    /// Where it is, from the root's directory on.
    pub path: String,
    /// What its documentation says.
    pub docs: String,
    /// Its lines without those of tests.
    pub lines: usize,
    /// Where `unsafe` stands in it.
    pub unsafes: Vec<usize>,
    /// The modules that it declares, in their order.
    pub modules: Vec<String>,
    /// The types and traits that it has, besides those within functions, and where.
    pub types: BTreeMap<String, usize>,
    /// The names that it imports, with where from.
    aliases: Vec<Alias>,
    /// The paths that it goes by without an import.
    paths: Vec<(Path, usize)>,
    /// All words besides imports.
    words: BTreeSet<String>,
    /// The modules that are declared as tests or models.
    tests: Vec<String>,
}

enum Path {
    Absolute(Module),
    /// Its first word may be an imported module.
    ByAlias(Module),
}

struct Alias {
    name: String,
    path: Module,
    line: usize,
    /// Whether it is handed on, to more than the module's own children.
    is_public: bool,
}

/// An import, as it is found in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub from: Module,
    pub to: Module,
    pub line: usize,
    /// As it is written, from the root on.
    pub what: String,
}

impl Sources {
    /// Reads all files below a directory.
    pub fn read(root: &std::path::Path) -> Sources {
        let mut texts = Vec::new();
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                    texts.push((name.replace('\\', "/"), std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        Sources::parse(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    /// Files by their paths, with their texts.
    pub fn parse<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Sources {
        let mut files: BTreeMap<Module, File> = texts
            .into_iter()
            .map(|(path, text)| (module_of(path), File::parse(path, text)))
            .collect();
        let tests: Vec<Module> = files
            .iter()
            .flat_map(|(module, file)| file.tests.iter().map(|test| child(module, test)))
            .collect();
        files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Sources { files }
    }

    /// All imports from one file to another. What a module hands on of its own children is none.
    pub fn imports(&self) -> Vec<Import> {
        let mut imports = BTreeSet::new();
        for (from, file) in &self.files {
            let aliases = file.aliases.iter().filter(|alias| {
                let is_child = |to: &Module| to.len() > from.len() && to.starts_with(from);
                let handed_on = alias.is_public && !file.words.contains(&alias.name);
                !handed_on || !self.origin(&alias.path).is_some_and(|to| is_child(&to))
            });
            let aliased = aliases.map(|alias| (alias.path.clone(), alias.line));
            let paths =
                file.paths.iter().filter_map(|(path, line)| Some((file.expand(path)?, *line)));
            for (path, line) in aliased.chain(paths) {
                if let Some(to) = self.origin(&path)
                    && to != *from
                {
                    let what = format!("crate::{}", path.join("::"));
                    imports.insert(Import { from: from.clone(), to, line, what });
                }
            }
        }
        imports.into_iter().collect()
    }

    /// The file that has what a path leads to, over whatever hands it on.
    fn origin(&self, path: &[String]) -> Option<Module> {
        let mut path = path.to_vec();
        // More steps than these are a cycle.
        for _ in 0..20 {
            let deepest = (0..=path.len()).rev().find(|&n| self.files.contains_key(&path[..n]))?;
            let file = &self.files[&path[..deepest]];
            let Some(name) = path.get(deepest) else { return Some(path) };
            let Some(alias) = file.aliases.iter().find(|alias| alias.name == *name) else {
                // `pub use child::*` is not looked into: there is none.
                return Some(path[..deepest].to_vec());
            };
            let mut next = alias.path.clone();
            next.extend_from_slice(&path[deepest + 1..]);
            if next == path {
                return Some(path[..deepest].to_vec());
            }
            path = next;
        }
        None
    }
}

fn module_of(path: &str) -> Module {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("mod").map_or(path, |path| path.trim_end_matches('/'));
    path.split('/').filter(|part| !part.is_empty() && *part != "lib").map(str::to_owned).collect()
}

fn child(module: &[String], name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

impl File {
    /// A path from the root on, if it leads into the crate.
    fn expand(&self, path: &Path) -> Option<Module> {
        match path {
            Path::Absolute(path) => Some(path.clone()),
            Path::ByAlias(words) => {
                let alias = self.aliases.iter().find(|alias| alias.name == words[0])?;
                Some(alias.path.iter().chain(&words[1..]).cloned().collect())
            }
        }
    }

    fn parse(path: &str, text: &str) -> File {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut file =
            File { path: path.to_owned(), lines: text.lines().count(), ..File::default() };
        file.docs = syntax.attrs.iter().filter_map(doc).collect::<Vec<_>>().join("\n");
        let tokens: TokenStream = text.parse().unwrap();
        each_word(tokens, &mut |word, line| {
            if word == "unsafe" {
                file.unsafes.push(line);
            }
        });
        let module = module_of(path);
        let mut reader = Reader { file: &mut file, here: module.clone(), module, blocks: 0 };
        reader.visit_file(&syntax);
        file
    }
}

fn doc(attribute: &syn::Attribute) -> Option<String> {
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else {
        return None;
    };
    attribute.path().is_ident("doc").then(|| text.value())
}

fn each_word(tokens: TokenStream, f: &mut impl FnMut(&str, usize)) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => f(&word.to_string(), word.span().start().line),
            TokenTree::Group(group) => each_word(group.stream(), f),
            _ => {}
        }
    }
}

/// Whether what has these attributes is there for tests, models or documentation alone.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => asks_for_tests(list.tokens.clone()),
        _ => false,
    })
}

fn asks_for_tests(condition: TokenStream) -> bool {
    let mut not = false;
    condition.into_iter().any(|token| match token {
        TokenTree::Ident(word) => {
            not = word == "not";
            ["test", "doctest", "doc", "asynckit_loom"].iter().any(|one| word == *one)
        }
        TokenTree::Group(group) => !not && asks_for_tests(group.stream()),
        _ => false,
    })
}

fn name_of_type(item: &syn::Item) -> Option<&syn::Ident> {
    match item {
        syn::Item::Enum(item) => Some(&item.ident),
        syn::Item::Struct(item) => Some(&item.ident),
        syn::Item::Trait(item) => Some(&item.ident),
        syn::Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Collects what a file imports.
struct Reader<'a> {
    file: &'a mut File,
    /// The file's module.
    module: Module,
    /// The one that is read: of those that stand in the file.
    here: Module,
    /// How many blocks of code are around what is read.
    blocks: usize,
}

impl Reader<'_> {
    /// A path from the root on, if it leads into the crate by its first word.
    fn absolute(&self, words: &[String]) -> Option<Module> {
        let mut base = match words.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => self.here.clone(),
            "super" => self.here[..self.here.len().checked_sub(1)?].to_vec(),
            _ => return None,
        };
        let mut rest = &words[1..];
        while rest.first().is_some_and(|word| word == "super") {
            base.pop()?;
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn leaf(&mut self, words: &[String], name: &str, line: usize, is_public: bool) {
        // A path that begins with a module that stands here, or with another crate.
        let absolute = self.absolute(words).or_else(|| {
            let own = self.here.iter().chain(words).cloned().collect();
            self.declares(words.first()?).then_some(own)
        });
        if let Some(path) = absolute {
            let name = name.to_owned();
            self.file.aliases.push(Alias { name, path, line, is_public });
        }
    }

    /// Whether the file declares this module, in a file of its own.
    fn declares(&self, name: &str) -> bool {
        self.here == self.module && self.file.modules.iter().any(|module| module == name)
    }

    fn tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>, is_public: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before, is_public);
                before.pop();
            }
            syn::UseTree::Name(name) => {
                let (word, line) = (name.ident.to_string(), name.ident.span().start().line);
                if word == "self" {
                    let last = before.last().cloned().unwrap_or_default();
                    return self.leaf(&before.clone(), &last, line, is_public);
                }
                let path: Vec<_> = before.iter().cloned().chain([word.clone()]).collect();
                self.leaf(&path, &word, line, is_public);
            }
            syn::UseTree::Rename(rename) => {
                let line = rename.rename.span().start().line;
                let mut path = before.clone();
                if rename.ident != "self" {
                    path.push(rename.ident.to_string());
                }
                self.leaf(&path, &rename.rename.to_string(), line, is_public);
            }
            syn::UseTree::Glob(_) => {
                let line = tree.span().start().line;
                self.leaf(&before.clone(), "*", line, is_public);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.tree(tree, before, is_public));
            }
        }
    }

    fn path(&mut self, words: &[String], line: usize) {
        if words.len() > 1 {
            let path = match self.absolute(words) {
                Some(path) => Path::Absolute(path),
                None if self.declares(&words[0]) => {
                    Path::Absolute(self.here.iter().chain(words).cloned().collect())
                }
                None => Path::ByAlias(words.to_vec()),
            };
            self.file.paths.push((path, line));
        }
    }

    /// The paths in a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.path(&path, line);
                        path.clear();
                        line = word.span().start().line;
                    }
                    path.push(word.to_string());
                    self.file.words.insert(word.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => colons += 1,
                other => {
                    self.path(&path, line);
                    path.clear();
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.path(&path, line);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_file(&mut self, file: &'ast syn::File) {
        for item in &file.items {
            if let syn::Item::Mod(module) = item
                && module.content.is_none()
                && !is_test(&module.attrs)
            {
                self.file.modules.push(module.ident.to_string());
            }
        }
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(attributes_of(item)) {
            if let Some(name) = name_of_type(item)
                && self.blocks == 0
            {
                self.file.types.insert(name.to_string(), name.span().start().line);
            }
            return visit::visit_item(self, item);
        }
        match item {
            syn::Item::Mod(module) if module.content.is_none() => {
                self.file.tests.push(module.ident.to_string());
            }
            _ => {
                let first = attributes_of(item)[0].span().start().line;
                self.file.lines -= item.span().end().line + 1 - first;
            }
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.blocks += 1;
        visit::visit_block(self, block);
        self.blocks -= 1;
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.here.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.here.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_public = !matches!(item.vis, syn::Visibility::Inherited);
        self.tree(&item.tree, &mut Vec::new(), is_public);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.path(&words, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_ident(&mut self, word: &'ast syn::Ident) {
        self.file.words.insert(word.to_string());
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}

//! Canonical XML 1.1, inclusive, without comments, of documents that have neither comments nor
//! processing instructions nor DTDs.

use roxmltree::Node;
use std::collections::BTreeMap;

/// Namespaces in scope, by prefix; the default one has none.
type Scope = BTreeMap<String, String>;

/// The canonical text of the element `node`, without the subtree `skip`.
pub(super) fn canonical(node: Node<'_, '_>, skip: Option<Node<'_, '_>>) -> String {
    let mut out = String::new();
    write(node, skip, &Scope::new(), &mut out);
    out
}

/// `written` are the namespaces that an element above has written already.
fn write(node: Node<'_, '_>, skip: Option<Node<'_, '_>>, written: &Scope, out: &mut String) {
    let source = node.document().input_text();
    let name = name_in_source(source, node.range().start);
    out.push('<');
    out.push_str(name);
    let scope: Scope = node
        .namespaces()
        .filter(|namespace| namespace.name() != Some("xml"))
        .map(|namespace| {
            let prefix = namespace.name().unwrap_or_default();
            (prefix.to_owned(), namespace.uri().to_owned())
        })
        .collect();
    for (prefix, uri) in &scope {
        if written.get(prefix) == Some(uri) {
            continue;
        }
        let attribute = match prefix.as_str() {
            "" => "xmlns".to_owned(),
            prefix => format!("xmlns:{prefix}"),
        };
        push_attribute(&attribute, uri, out);
    }
    let mut attributes: Vec<_> = node.attributes().collect();
    attributes.sort_by_key(|one| (one.namespace().unwrap_or_default(), one.name()));
    for attribute in attributes {
        push_attribute(&source[attribute.range_qname()], attribute.value(), out);
    }
    out.push('>');
    for child in node.children().filter(|child| Some(*child) != skip) {
        if child.is_element() {
            write(child, skip, &scope, out);
        } else if let Some(text) = child.text() {
            push_text(text, out);
        }
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// The element's name with its prefix, which the tree doesn't keep.
fn name_in_source(source: &str, start: usize) -> &str {
    let tag = source.get(start + 1..).unwrap_or_default();
    let end = tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/');
    &tag[..end.unwrap_or(tag.len())]
}

fn push_attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn push_text(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

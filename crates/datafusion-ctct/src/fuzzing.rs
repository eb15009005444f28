//! What the fuzzer and the tests of its corpus do with their data.

use ctct_endpoints::Endpoint;

use crate::decode::PageDecoder;

/// Decodes the page in `data`: its first line names the table, or chooses one by its first
/// byte.
///
/// # Panics
/// Where the rows do not fit their schema.
pub fn page(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (name, body) = data.split_at(line);
    let body = body.get(1..).unwrap_or_default();
    let endpoints = ctct_endpoints::all();
    let chosen = || {
        let choice = usize::from(*name.first()?);
        endpoints.get(choice % endpoints.len().max(1))
    };
    let named = std::str::from_utf8(name).ok().and_then(ctct_endpoints::find);
    let Some(endpoint) = named.or_else(chosen) else { return };
    let columns: Vec<&str> = endpoint.fields.iter().map(|field| field.name).collect();
    columns_of_page(endpoint, &columns, body);
    // Of one column most of a page is cut out.
    columns_of_page(endpoint, columns.get(..1).unwrap_or_default(), body);
}

/// Decodes columns of a page.
///
/// # Panics
/// Where the rows do not fit their schema.
pub fn columns_of_page(endpoint: &'static Endpoint, columns: &[&str], body: &[u8]) {
    let mut decoder = PageDecoder::new(endpoint, columns);
    if let Ok(page) = decoder.decode(body) {
        let rows = page.rows.num_rows();
        assert!(page.rows.columns().iter().all(|column| column.len() == rows), "ragged columns");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_survived() {
        let folder = format!("{}/../../fuzz/corpus/page", env!("CARGO_MANIFEST_DIR"));
        let files: Vec<_> = std::fs::read_dir(folder).expect("the corpus").collect();
        assert!(!files.is_empty());
        for file in files {
            super::page(&std::fs::read(file.expect("an entry").path()).expect("a file"));
        }
    }
}

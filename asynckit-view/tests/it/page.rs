//! The page: one file, safe, and the same for the same run.

use asynckit::Pool;

use crate::{data, html, numbers, runs, states};

#[test]
fn a_page_is_one_file_and_asks_no_network() {
    let page = html(&runs::failing(&Pool::deterministic(1)));
    // A name of XML's, that nobody fetches.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http:", "https:", "src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest"]
    {
        let text = page.split("id=\"run\">").next().unwrap();
        assert!(!text.contains(word), "{word}");
    }
    let script = page.rsplit("<script>").next().unwrap();
    for word in ["http:", "https:", "import(", "fetch(", "XMLHttpRequest", "WebSocket", "innerHTML"]
    {
        assert!(!script.contains(word), "{word}");
    }
}

#[test]
fn no_text_of_the_program_ends_an_element() {
    let (plain, hostile) = (Pool::deterministic(1), Pool::deterministic(1));
    let (plain, hostile) = (html(&runs::small(&plain)), html(&runs::failing(&hostile)));
    for tag in ["<script", "</script", "<!--", "-->", "<b>", "</title"] {
        let count = |page: &str| page.matches(tag).count();
        assert_eq!(count(&plain), count(&hostile), "{tag}");
    }
    let data = data(&hostile);
    assert_eq!(data["name"], "failing </title><b>");
    assert_eq!(
        data["failures"][0]["message"],
        "no 7 </script><script>alert(1)</script> & \"quotes\""
    );
}

#[test]
fn the_same_seed_gives_the_same_page_byte_by_byte() {
    for seed in 0..8 {
        let page = || {
            let pool = Pool::deterministic(seed);
            [html(&runs::failing(&pool)), html(&runs::mixed_virtual(&Pool::deterministic(seed)))]
        };
        assert_eq!(page(), page());
    }
}

#[test]
fn the_way_of_a_failure_is_told() {
    let data = data(&html(&runs::failing(&Pool::deterministic(5))));
    assert_eq!(states(&data), ["add: 2 skipped", "read: 2 done", "refuse: 1 failed"]);
    assert_eq!(data["failures"].as_array().unwrap().len(), 1);
    let failed = data["failures"][0]["task"].as_u64().unwrap() as usize;
    assert_eq!(numbers(&data["tasks"]["state"])[failed], 1);
    assert_eq!(numbers(&data["failures"][0]["skipped"]).len(), 2);
}

#[test]
fn a_run_of_nothing_has_a_page() {
    let run = asynckit_view::Recording::of(&Pool::deterministic(1)).finish();
    assert_eq!(run.tasks(), 0);
    assert!(html(&run).contains("Nothing ran."));
    assert_eq!(run.summary().to_string(), "Nothing ran. The recording holds no task.\n");
    assert!(run.graph().svg().ends_with("</svg>\n"));
}

//! Takes what the page `/docs` needs of Swagger UI out of the crate that carries it.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use anyhow::Context;
use flate2::{Compression, write::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// A third of the archive: the others serve other ways to load it.
const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    // structure-lint: allow(SL017) reason="by it Cargo tells a build script where to write"
    let out = std::env::var("OUT_DIR").context("Cargo says where to write")?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for file in FILES {
        let is_wanted = |it: &str| it.ends_with(&format!("/dist/{file}"));
        let name = archive.file_names().flatten().find(|it| is_wanted(it));
        let name = name.map(|it| it.into_owned());
        let name = name.with_context(|| format!("Swagger UI has no {file}"))?;
        let mut text = Vec::new();
        archive.by_name(&name)?.read_to_end(&mut text)?;
        let out = fs::File::create(Path::new(&out).join(format!("{file}.gz")))?;
        let mut out = GzEncoder::new(out, Compression::best());
        std::io::copy(&mut &*text, &mut out)?;
        out.finish()?;
    }
    Ok(())
}

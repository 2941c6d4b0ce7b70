#[async_work]
fn read(&self, path: &str, _unused: u8) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

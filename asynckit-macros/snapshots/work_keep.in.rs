#[async_work(keep(version = 2, max_age = "7d", key = page.len()), remote(deliveries = 1), retry = 3, limit = 8)]
/// How large a page is.
pub fn size(page: &str, (scale, _): (u64, u8)) -> io::Result<u64> {
    Ok(page.len() as u64 * scale)
}

#[async_work(remote(deliveries = 1), retry = 3, limit = 8, weight = page.len(), rate = "2/s")]
pub fn size(page: &str, scale: u64) -> u64 {
    page.len() as u64 * scale
}

#[async_work]
async fn waits(input: AsyncResult<u8>) -> asynckit::Result<u8> {
    input.await
}

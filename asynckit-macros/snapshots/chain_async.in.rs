chain!(&pool, async move {
    if size(&page).await? < 3 {
        return merge(0, 0);
    }
    Err(error)?
})

chain!(&pool, {
    let a = download("a".into());
    merge(size(&a), b)
})

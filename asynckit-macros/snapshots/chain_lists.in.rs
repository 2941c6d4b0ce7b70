chain!(pool, {
    let pages: Vec<_> = urls.into_iter().map(download).collect();
    let (first, (second, _)) = split(pages);
    log(3);
    (first, second)
})

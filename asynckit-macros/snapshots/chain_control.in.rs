chain!(pool, {
    if ready(n) {
        return AsyncResult::ready(1);
    }
    for n in 0..3 {
        sum = add(sum, n);
    }
    client.get(url).after(&sum);
    sum
})

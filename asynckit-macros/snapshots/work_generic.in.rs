#[async_work(fallible, crate = renamed::kit)]
/// Documented.
fn shown<'a, T: Display, F>((a, b): (&'a str, &str), values: [T; 3], f: F) -> Outcome<String>
where
    F: Fn(T) -> String,
{
    body()
}

/// Documented.
#[track_caller]
fn shown<'work, 'a: 'work, T: Display + 'work, F>(
    __arg0: (&'a str, &'work str),
    values: [T; 3],
    f: F,
) -> renamed::kit::Work<
    'work,
    <Outcome<String> as renamed::kit::__private::Fallible>::Value,
>
where
    F: Fn(T) -> String + 'work,
{
    renamed::kit::__private::work_moves_to_another_thread::<(&'a str, &'work str)>();
    renamed::kit::__private::work_moves_to_another_thread::<[T; 3]>();
    renamed::kit::__private::work_moves_to_another_thread::<F>();
    return {
        let __body = move || -> Outcome<String> {
            let __arg0 = __arg0;
            let (a, b) = __arg0;
            let values = values;
            let f = f;
            #[allow(clippy::diverging_sub_expression)]
            let __value: Outcome<String> = { body() };
            #[allow(unreachable_code)] return __value;
        };
        renamed::kit::__private::sync_work(
            renamed::kit::__private::called(
                &::core::concat!(::core::module_path!(), "::", "shown"),
                const { renamed::kit::__private::defined() },
            ),
            renamed::kit::__private::errors_of(&__body).way(),
            __body,
        )
    };
}

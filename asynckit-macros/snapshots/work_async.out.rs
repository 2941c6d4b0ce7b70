#[track_caller]
fn waits(
    #[deny(elided_lifetimes_in_paths)]
    input: AsyncResult<u8>,
) -> ::asynckit::Work<'static, u8> {
    ::asynckit::__private::work_moves_to_another_thread::<AsyncResult<u8>>();
    ::asynckit::__private::returns_a_result::<asynckit::Result<u8>>();
    return {
        let __body = async move {
            let input = input;
            if let ::core::option::Option::Some(__value) = ::core::option::Option::None::<
                asynckit::Result<u8>,
            > {
                return __value;
            }
            #[allow(clippy::diverging_sub_expression)]
            let __value: asynckit::Result<u8> = { input.await };
            #[allow(unreachable_code)] return __value;
        };
        ::asynckit::__private::async_work(
            ::asynckit::__private::called(
                &::core::concat!(::core::module_path!(), "::", "waits"),
                const { ::asynckit::__private::defined() },
            ),
            ::asynckit::__private::async_errors_of(&__body).way(),
            __body,
        )
    };
}

/// How large a page is.
#[track_caller]
pub fn size<'work>(page: &'work str, __arg1: (u64, u8)) -> ::asynckit::Work<'work, u64> {
    ::asynckit::__private::work_moves_to_another_thread::<(u64, u8)>();
    ::asynckit::__private::returns_a_result::<io::Result<u64>>();
    return {
        let __called = ::asynckit::__private::called(
            &::core::concat!(::core::module_path!(), "::", "size"),
            const { ::asynckit::__private::defined() },
        );
        {
            ::asynckit_store::attribute::argument::<&'work str>();
            ::asynckit_store::attribute::argument::<(u64, u8)>();
            ::asynckit_store::attribute::value::<u64>();
            static __ASYNCKIT_FUNCTION: ::asynckit::__private::Function = ::asynckit::__private::Function::new(
                ::core::concat!(::core::module_path!(), "::", "size"),
                "fn size ( page : & str , ( scale , _ ) : ( u64 , u8 ) ) - > io : : Result < u64 >",
                b"ifn\0isize\0(ipage\0p:p&istr\0p,(iscale\0p,i_\0)p:(iu64\0p,iu8\0))p-p>iio\0p:p:iResult\0p<iu64\0p>\n{iOk\0(ipage\0p.ilen\0()ias\0iu64\0p*iscale\0)}\n",
                &["page", "__arg1"],
            );
            static __ASYNCKIT_SETTINGS: ::asynckit_store::attribute::Keep = ::asynckit_store::attribute::Keep::new()
                .version(2)
                .max_age(::core::time::Duration::new(604800u64, 0u32));
            let __arguments = (
                {
                    #[allow(unused_variables)]
                    let page = &page;
                    page.len()
                },
                (),
            );
            let __arguments = (__arg1, __arguments);
            let __arguments = (page, __arguments);
            ::asynckit::__private::carried(
                __called,
                ::asynckit::__private::About {
                    function: &__ASYNCKIT_FUNCTION,
                    settings: &__ASYNCKIT_SETTINGS,
                    known: true,
                },
                ::asynckit_store::attribute::Bytes,
                &|| {},
                __arguments,
                move |__arguments| {
                    let (page, __arguments) = __arguments;
                    let (__arg1, __arguments) = __arguments;
                    let _ = __arguments;
                    ::asynckit::__private::retried(
                        __called,
                        3,
                        ::core::time::Duration::new(0u64, 0u32),
                        move || {
                            let page = {
                                let first = &page;
                                ::asynckit::__private::again(first)
                            };
                            let __arg1 = {
                                let first = &__arg1;
                                ::asynckit::__private::again(first)
                            };
                            {
                                ::asynckit_cluster::attribute::argument::<str>();
                                ::asynckit_cluster::attribute::argument::<(u64, u8)>();
                                ::asynckit_cluster::attribute::value::<u64>();
                                fn __call<'work>(
                                    __called: ::asynckit::__private::Hop,
                                    page: &'work str,
                                    __arg1: (u64, u8),
                                ) -> ::asynckit::Work<'work, u64> {
                                    {
                                        let __limit = {
                                            static __ASYNCKIT_LIMIT: ::asynckit::__private::StaticLimit = ::asynckit::__private::StaticLimit::new(
                                                8,
                                            );
                                            &__ASYNCKIT_LIMIT
                                        };
                                        ::asynckit::Work::limit(
                                            {
                                                let __body = move || -> io::Result<u64> {
                                                    let page = page;
                                                    let __arg1 = __arg1;
                                                    let (scale, _) = __arg1;
                                                    #[allow(clippy::diverging_sub_expression)]
                                                    let __value: io::Result<u64> = {
                                                        Ok(page.len() as u64 * scale)
                                                    };
                                                    #[allow(unreachable_code)] return __value;
                                                };
                                                ::asynckit::__private::sync_work(
                                                    __called,
                                                    ::asynckit::__private::errors_of(&__body).way(),
                                                    __body,
                                                )
                                            },
                                            __limit,
                                        )
                                    }
                                }
                                static __ASYNCKIT_FUNCTION: ::asynckit::__private::Function = ::asynckit::__private::Function::new(
                                        ::core::concat!(::core::module_path!(), "::", "size"),
                                        "fn size ( page : & str , ( scale , _ ) : ( u64 , u8 ) ) - > io : : Result < u64 >",
                                        b"ifn\0isize\0(ipage\0p:p&istr\0p,(iscale\0p,i_\0)p:(iu64\0p,iu8\0))p-p>iio\0p:p:iResult\0p<iu64\0p>\n{iOk\0(ipage\0p.ilen\0()ias\0iu64\0p*iscale\0)}\n",
                                        &["page", "__arg1"],
                                    )
                                    .with_limit(8);
                                static __ASYNCKIT_SETTINGS: ::asynckit_cluster::attribute::Remote = ::asynckit_cluster::attribute::Remote::new()
                                    .deliveries(1);
                                ::asynckit::__serve! {
                                    ::asynckit::__private::Served::new(& __ASYNCKIT_FUNCTION, &
                                    __ASYNCKIT_SETTINGS, | mut __given | { let __arrive = {
                                    #[allow(unused_imports)] use
                                    ::asynckit::__private::unserved:: *; {
                                    #[allow(unused_imports)] use ::asynckit_cluster::attribute::
                                    *; Arrive } }; let page = __given.next:: < str, _ > (&
                                    __arrive, "page") ?; let page =
                                    ::asynckit::__private::lent:: < str, _ > (& __arrive, &
                                    page); let __arg1 = __given.next:: < (u64, u8), _ > (&
                                    __arrive, "__arg1") ?; let __arg1 =
                                    ::asynckit::__private::owned:: < (u64, u8), _ > (& __arrive,
                                    __arg1); __given.end() ?; let __called =
                                    ::asynckit::__private::called(&
                                    ::core::concat!(::core::module_path!(), "::", "size"), const
                                    { ::asynckit::__private::defined() }); __given.run(&
                                    __arrive, __call(__called, page, __arg1));
                                    ::asynckit::__private::Ok(()) })
                                }
                                let __arguments = ();
                                let __arguments = (__arg1, __arguments);
                                let __arguments = (page, __arguments);
                                ::asynckit::__private::carried(
                                    __called,
                                    ::asynckit::__private::About {
                                        function: &__ASYNCKIT_FUNCTION,
                                        settings: &__ASYNCKIT_SETTINGS,
                                        known: false,
                                    },
                                    ::asynckit_cluster::attribute::Bytes,
                                    &|| {},
                                    __arguments,
                                    move |__arguments| {
                                        let (page, __arguments) = __arguments;
                                        let (__arg1, __arguments) = __arguments;
                                        let () = __arguments;
                                        __call(__called, page, __arg1)
                                    },
                                )
                            }
                        },
                    )
                },
            )
        }
    };
}

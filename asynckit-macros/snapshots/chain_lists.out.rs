fn expanded() {
    match ::asynckit::__private::chain_place(&pool) {
        #[allow(unreachable_code)]
        ref __place => {
            #[allow(unused_imports)]
            use ::asynckit::__private::{
                EachUnchanged as _, ProbedUnchanged as _, Probe as _, LooseStarted as _,
                LooseUnchanged as _,
            };
            {
                let pages = {
                    let __list: Vec<_> = urls.into_iter().map(download).collect();
                    __list
                }
                    .__probe()
                    .__each()
                    .__start(__place);
                let (first, (second, _)) = match ::asynckit::__private::same(
                        match ::asynckit::__private::lift(
                            __place,
                            (pages.__probe().__each().__arg(__place), ()),
                        ) {
                            #[allow(unreachable_patterns, clippy::unit_arg)]
                            ::asynckit::__private::Lifted::Now(
                                __now,
                                (mut __input0, ()),
                            ) => {
                                split(::asynckit::__private::give::<_>(&mut __input0))
                                    .__probed(__now)
                            }
                            #[allow(unreachable_patterns, clippy::unit_arg)]
                            ::asynckit::__private::Lifted::Later(__later) => {
                                ::asynckit::__private::same(__later)
                                    .__call(
                                        ::asynckit::__private::call_site(&"split"),
                                        move |__here, (mut __input0, ())| {
                                            split(::asynckit::__private::give::<_>(&mut __input0))
                                                .__probe()
                                                .__finish(__here)
                                        },
                                    )
                            }
                        },
                    )
                    .__start(__place)
                    .__probe()
                    .__take_apart()
                {
                    (__part0, __part1) => {
                        (
                            __part0,
                            match __part1.__probe().__take_apart() {
                                (__part0, __part1) => (__part0, __part1),
                            },
                        )
                    }
                };
                log(3).__probe().__loosen().__statement(__place);
                ::asynckit::__private::end_of_chain(
                    ::asynckit::__private::same::<_>(__place),
                    (first, second),
                )
            }
        }
    }
}

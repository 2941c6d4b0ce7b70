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
                if ::asynckit::__private::plain_condition(
                    ::asynckit::__private::same(
                            match ::asynckit::__private::lift(
                                __place,
                                (n.__probe().__each().__arg(__place), ()),
                            ) {
                                #[allow(unreachable_patterns, clippy::unit_arg)]
                                ::asynckit::__private::Lifted::Now(
                                    __now,
                                    (mut __input0, ()),
                                ) => {
                                    ready(::asynckit::__private::give::<_>(&mut __input0))
                                        .__probed(__now)
                                }
                                #[allow(unreachable_patterns, clippy::unit_arg)]
                                ::asynckit::__private::Lifted::Later(__later) => {
                                    ::asynckit::__private::same(__later)
                                        .__call(
                                            ::asynckit::__private::call_site(&"ready"),
                                            move |__here, (mut __input0, ())| {
                                                ready(::asynckit::__private::give::<_>(&mut __input0))
                                                    .__probe()
                                                    .__finish(__here)
                                            },
                                        )
                                }
                            },
                        )
                        .__start(__place),
                ) {
                    return AsyncResult::ready(1).__probe().__start(__place);
                }
                for n in 0..3 {
                    sum = ::asynckit::__private::same(
                            match ::asynckit::__private::lift(
                                __place,
                                (
                                    sum.__probe().__each().__arg(__place),
                                    (n.__probe().__each().__arg(__place), ()),
                                ),
                            ) {
                                #[allow(unreachable_patterns, clippy::unit_arg)]
                                ::asynckit::__private::Lifted::Now(
                                    __now,
                                    (mut __input0, (mut __input1, ())),
                                ) => {
                                    add(
                                            ::asynckit::__private::give::<_>(&mut __input0),
                                            ::asynckit::__private::give::<_>(&mut __input1),
                                        )
                                        .__probed(__now)
                                }
                                #[allow(unreachable_patterns, clippy::unit_arg)]
                                ::asynckit::__private::Lifted::Later(__later) => {
                                    ::asynckit::__private::same(__later)
                                        .__call(
                                            ::asynckit::__private::call_site(&"add"),
                                            move |__here, (mut __input0, (mut __input1, ()))| {
                                                add(
                                                        ::asynckit::__private::give::<_>(&mut __input0),
                                                        ::asynckit::__private::give::<_>(&mut __input1),
                                                    )
                                                    .__probe()
                                                    .__finish(__here)
                                            },
                                        )
                                }
                            },
                        )
                        .__start(__place);
                }
                client.get(url).after(&sum).__probe().__loosen().__statement(__place);
                ::asynckit::__private::end_of_chain::<
                    _,
                    _,
                >(::asynckit::__private::same::<_>(__place), sum)
            }
        }
    }
}

//! What an argument of a call is, by the way it is written.

use syn::{Expr, ExprCall, ExprPath, Member, Path, UnOp};

/// How an argument gets into a call.
pub(super) enum Kind {
    /// Perhaps pending: it is moved in.
    Moved,
    /// `&` of something perhaps pending.
    Lent,
    /// Evaluated now, and passed as it is.
    Plain,
    /// Means the same whenever it is evaluated, and stays where it stands.
    Constant,
}

impl Kind {
    pub(super) fn of(argument: &Expr) -> Self {
        match ungroup(argument) {
            Expr::Path(_) | Expr::Field(_) if is_place(argument) => Self::Moved,
            Expr::Call(call) if !is_plain_call(call) => Self::Moved,
            Expr::MethodCall(call)
                if call.method == "clone" && call.args.is_empty() && is_place(&call.receiver) =>
            {
                Self::Moved
            }
            Expr::Reference(reference) if reference.mutability.is_none() => {
                match Self::of(&reference.expr) {
                    Self::Moved => Self::Lent,
                    Self::Constant => Self::Constant,
                    _ => Self::Plain,
                }
            }
            Expr::Lit(_) | Expr::Path(_) | Expr::Closure(_) => Self::Constant,
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match ungroup(&unary.expr) {
                Expr::Lit(_) => Self::Constant,
                _ => Self::Plain,
            },
            _ => Self::Plain,
        }
    }
}

/// Without parentheses, and without the invisible ones of `macro_rules!`.
pub(super) fn ungroup(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => ungroup(&group.expr),
        Expr::Paren(paren) => ungroup(&paren.expr),
        other => other,
    }
}

/// A variable, or a field of one.
pub(super) fn is_place(expression: &Expr) -> bool {
    match ungroup(expression) {
        Expr::Path(path) => is_variable(path),
        Expr::Field(field) => {
            matches!(field.member, Member::Named(_) | Member::Unnamed(_)) && is_place(&field.base)
        }
        _ => false,
    }
}

/// One word that does not begin with a capital: constants and variants do.
fn is_variable(path: &ExprPath) -> bool {
    path.qself.is_none()
        && path.path.get_ident().is_some_and(|name| !begins_with_capital(&name.to_string()))
}

fn begins_with_capital(name: &str) -> bool {
    name.trim_start_matches("r#").trim_start_matches('_').starts_with(char::is_uppercase)
}

/// A call that is never work and never becomes a task: `Some(a)`, `Default::default()`.
pub(super) fn is_plain_call(call: &ExprCall) -> bool {
    let Expr::Path(function) = ungroup(&call.func) else {
        return false;
    };
    let Some(last) = function.path.segments.last() else {
        return false;
    };
    begins_with_capital(&last.ident.to_string())
        || is_of_any_type(&function.path)
        || (makes_container(&function.path) && !call.args.iter().any(may_be_pending))
}

pub(super) fn may_be_pending(argument: &Expr) -> bool {
    matches!(Kind::of(argument), Kind::Moved | Kind::Lent)
}

/// A function of `std` whose result is whatever is wanted, so that its type cannot be looked at.
fn is_of_any_type(path: &Path) -> bool {
    const ANY: [&str; 7] = [
        "Default::default",
        "From::from",
        "FromIterator::from_iter",
        "FromStr::from_str",
        "Into::into",
        "TryFrom::try_from",
        "TryInto::try_into",
    ];
    ANY.contains(&last_two(path).as_str())
}

/// A call of such a function of `std` that makes a list, whatever its arguments are.
pub(super) fn is_container_call(expression: &Expr) -> bool {
    let Expr::Call(call) = ungroup(expression) else { return false };
    matches!(ungroup(&call.func), Expr::Path(function) if makes_container(&function.path))
}

/// A function of `std` around a value whose type is often decided by what wants the container.
fn makes_container(path: &Path) -> bool {
    const CONTAINERS: [&str; 8] = [
        "Arc::new",
        "Box::new",
        "Box::pin",
        "Rc::new",
        "Vec::default",
        "Vec::from",
        "Vec::new",
        "Vec::with_capacity",
    ];
    CONTAINERS.contains(&last_two(path).as_str())
}

fn last_two(path: &Path) -> String {
    let names: Vec<String> =
        path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    names[names.len().saturating_sub(2)..].join("::")
}

/// Whether the type of what a method gives is whatever is wanted: `.into()`, `.parse().unwrap()`.
pub(super) fn is_of_wanted_type(call: &syn::ExprMethodCall) -> bool {
    const ANY: [&str; 7] =
        ["collect", "into", "parse", "product", "sum", "try_into", "unwrap_or_default"];
    const OF_THE_SAME: [&str; 5] = ["expect", "ok", "unwrap", "unwrap_or", "unwrap_or_else"];
    let name = call.method.to_string();
    if ANY.contains(&name.as_str()) && call.turbofish.is_none() {
        return true;
    }
    match ungroup(&call.receiver) {
        Expr::MethodCall(inner) if OF_THE_SAME.contains(&name.as_str()) => is_of_wanted_type(inner),
        _ => false,
    }
}

//! Loops, and whether they come to an end.

use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprBreak, ExprLoop, Item, Lifetime};

/// Whether a `loop` has a `break` of its own, and so a value.
pub(super) fn ends(repeat: &ExprLoop) -> bool {
    let label = repeat.label.as_ref().map(|label| label.name.clone());
    let mut breaks = Breaks { label, is_inside: false, found: false };
    breaks.visit_block_mut(&mut repeat.body.clone());
    breaks.found
}

struct Breaks {
    label: Option<Lifetime>,
    /// Whether it looks into another loop, whose breaks have no label.
    is_inside: bool,
    found: bool,
}

impl VisitMut for Breaks {
    fn visit_expr_break_mut(&mut self, it: &mut ExprBreak) {
        self.found |= match &it.label {
            Some(label) => Some(label) == self.label.as_ref(),
            None => !self.is_inside,
        };
        visit_mut::visit_expr_break_mut(self, it);
    }

    fn visit_expr_mut(&mut self, it: &mut Expr) {
        let around = self.is_inside;
        match it {
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => return,
            Expr::Loop(_) | Expr::ForLoop(_) | Expr::While(_) => self.is_inside = true,
            _ => {}
        }
        visit_mut::visit_expr_mut(self, it);
        self.is_inside = around;
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}

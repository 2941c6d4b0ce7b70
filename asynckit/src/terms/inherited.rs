//! What work passes on to what it submits.

use crate::sync::Arc;
use crate::terms::carriers::Carriers;
use crate::terms::priority::Rank;
use crate::terms::tree::Tree;

/// What work passes on to what it submits.
#[derive(Clone, Default)]
pub(crate) struct Inherited {
    /// Who may cancel all tasks of this place.
    pub(crate) tree: Option<Arc<Tree>>,
    /// Who may carry out its calls elsewhere.
    pub(crate) carriers: Option<Arc<Carriers>>,
    /// When its tasks begin, where others are ready too.
    pub(crate) rank: Option<Rank>,
}

impl Inherited {
    pub(crate) fn is_nothing(&self) -> bool {
        self.tree.is_none() && self.carriers.is_none() && self.rank.is_none()
    }

    pub(crate) fn or(self, other: Inherited) -> Inherited {
        Inherited {
            tree: self.tree.or(other.tree),
            carriers: self.carriers.or(other.carriers),
            rank: self.rank.or(other.rank),
        }
    }
}

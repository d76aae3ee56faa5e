//! Which network is read where a file holds several: the one that was asked for, a moving average before the weights that it is of, or one
//! of two names for the same tensors.

use super::root::Root;
use super::search::Search;
use crate::error::{Error, Result};
use crate::weights::container::{Container, Contents};
use crate::weights::dialect::{no_network, some_of, training};
use crate::weights::infer;
use crate::weights::read_options::ReadOptions;

/// Most networks among which an average is looked for.
const MOST_TWINS: usize = 4;

/// Most networks of a file that a message lists.
const MOST_LISTED: usize = 8;

/// The network that is read.
pub(super) struct Choice {
    /// Where it is.
    pub(super) root: Root,
    /// Where the same network is under another name, or the weights that an average is of.
    pub(super) twins: Vec<Root>,
    /// Which of the weights and their average was chosen, as a note.
    pub(super) note: Option<String>,
}

impl Choice {
    /// The network to read of those at `roots`. Errors where there is none, or several and nothing says which.
    pub(super) fn of(contents: &Contents, roots: &[Root], options: &ReadOptions) -> Result<Self> {
        let roots = wanted(contents, roots, options)?;
        let places: Vec<String> = roots.iter().map(Root::place).collect();
        let shared = shared_keys(&places);
        let is_average = |place: &str| training::is_average(place.get(shared..).unwrap_or(place));
        let averages: Vec<&Root> = roots.iter().zip(&places).filter(|(_, place)| is_average(place)).map(|(root, _)| root).collect();
        let (root, twins): (&Root, Vec<&Root>) = match (roots.as_slice(), averages.as_slice()) {
            ([], _) if contents.container == Container::TorchScript => {
                return Err(Error::checkpoint(
                    "is a TorchScript archive, a program, whose tensors have not the names of a DenseNet's: it was frozen, or is another \
                     network. Save the weights of the model that it was made of; or what names it has left, in Python: import torch; \
                     torch.save(torch.jit.load('IN', map_location='cpu').state_dict(), 'OUT.pth')",
                ));
            }
            ([], _) => return Err(no_network(contents, "a stem such as features.conv0.weight and dense blocks beside it")),
            ([root], _) => (root, Vec::new()),
            (all, [average]) if all.len() <= MOST_TWINS => {
                let others: Vec<&Root> = all.iter().filter(|other| other != average).collect();
                match others[..] {
                    [plain] if is_swapped(contents, average) => (plain, vec![*average]),
                    _ => (*average, others),
                }
            }
            (all @ [first, rest @ ..], _) if all.len() <= MOST_TWINS && rest.iter().all(|other| is_same(contents, first, other)) => {
                (first, rest.iter().collect())
            }
            (all, _) => {
                let found = listed(contents, all);
                return Err(Error::checkpoint(format!("expected one network, found {}: {found}; take one with `root`", all.len())));
            }
        };
        let note = (!averages.is_empty() && !twins.is_empty()).then(|| {
            let swapped = if averages.contains(&root) { "" } else { ", which MMEngine saves there" };
            let others = some_of(twins.iter().map(|other| format!("{:?}", other.place())));
            format!("holds weights and their moving average: using the average{swapped} ({:?}, not {others})", root.place())
        });
        Ok(Self { root: root.clone(), twins: twins.into_iter().cloned().collect(), note })
    }
}

/// The places that are asked for: all, where none is. Errors where there is none of that name.
fn wanted(contents: &Contents, roots: &[Root], options: &ReadOptions) -> Result<Vec<Root>> {
    let Some(name) = &options.root else { return Ok(roots.to_vec()) };
    let wanted: Vec<Root> = roots.iter().filter(|root| root.is_called(name)).cloned().collect();
    if wanted.is_empty() && !roots.is_empty() {
        let found = listed(contents, roots);
        return Err(Error::checkpoint(format!("`root` {name}: expected a DenseNet there, found one at {found}")));
    }
    Ok(wanted)
}

/// The places with the architecture that is there.
fn listed(contents: &Contents, roots: &[Root]) -> String {
    let listed = roots.iter().take(MOST_LISTED).map(|root| {
        let network = Search::new(contents).network(root);
        let config =
            network.and_then(|network| infer(network.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()))));
        let what = config.map_or_else(|_| "a DenseNet of another kind".into(), |config| config.to_string());
        format!("{:?} ({what})", root.name())
    });
    let listed: Vec<String> = listed.collect();
    let more = roots.len() - listed.len();
    listed.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// How many bytes of several places are keys that all of them have in front: those say nothing of one.
fn shared_keys(places: &[String]) -> usize {
    let [first, others @ ..] = places else { return 0 };
    if others.is_empty() {
        return 0;
    }
    let ends = first.match_indices(['/', '.']).map(|(at, _)| at + 1);
    ends.take_while(|&end| others.iter().all(|other| other.starts_with(&first[..end]))).last().unwrap_or(0)
}

/// Whether an average is none: MMEngine's hook puts the average where the weights were before it saves, and the weights
/// where the average was, with the number of its steps.
fn is_swapped(contents: &Contents, average: &Root) -> bool {
    average.scope.ends_with("ema_state_dict") && contents.tensors.iter().any(|t| *t.scope == *average.scope && t.name == "steps")
}

/// Whether two networks are one under two names: their stems are the same elements.
fn is_same(contents: &Contents, one: &Root, other: &Root) -> bool {
    let stem = |root: &Root| {
        let name = format!("{}{}.weight", root.prefix, root.family().stem);
        contents.tensors.iter().find(|tensor| *tensor.scope == *root.scope && tensor.name == name)
    };
    stem(one).zip(stem(other)).is_some_and(|(one, other)| one.is_same(other))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{called, contents};
    use super::super::resolve;
    use super::*;
    use crate::weights::container::Stored;

    #[test]
    fn an_average_beside_its_network_is_recognised_by_what_places_do_not_share() {
        let mut file = contents("ema", &[]);
        let average = |tensor: &Stored<'static>| called(tensor, &format!("ema_model.{}", tensor.name));
        file.tensors.extend(file.tensors.iter().map(average).collect::<Vec<_>>());
        for tensor in &mut file.tensors[..4] {
            tensor.name.insert_str(0, "online_model.");
        }
        for name in ["initted", "step"] {
            let mut count = called(&file.tensors[0], name);
            count.shape = Vec::new();
            file.tensors.push(count);
        }
        let network = resolve(&file, &[], &ReadOptions::default()).unwrap();
        assert_eq!((network.wrapper.as_str(), network.beside.len() + network.left_over.len()), ("ema/ema_model.", 0));
    }

    #[test]
    fn what_all_places_share_shows_no_average() {
        let places = |all: &[&str]| shared_keys(&all.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(places(&["ema/online_model.features.", "ema/ema_model.features."]), "ema/".len());
        assert_eq!(places(&["ema.a.", "ema.b."]), "ema.".len());
        assert_eq!((places(&["ema_model.", "emanet."]), places(&["ema/"]), places(&[])), (0, 0, 0));
    }

    #[test]
    fn one_of_several_networks_is_taken_by_its_place() {
        let mut two = contents("", &[]);
        let tower = |tensor: &Stored<'static>| called(tensor, &format!("tower.{}", tensor.name));
        two.tensors.extend(contents("", &[]).tensors.iter().map(tower).collect::<Vec<_>>());
        let message = resolve(&two, &[], &ReadOptions::default()).err().unwrap().to_string();
        assert!(message.contains("\".\" (") && message.contains("\"tower\" (") && message.contains("`root`"), "{message}");
        let network = resolve(&two, &[], &ReadOptions::default().with_root("tower")).unwrap();
        assert_eq!((network.wrapper.as_str(), network.left_over.len()), ("tower.", 0));
        let message = resolve(&two, &[], &ReadOptions::default().with_root("towel")).err().unwrap().to_string();
        assert!(message.contains("`root` towel: expected a DenseNet there, found one at \".\""), "{message}");
    }
}

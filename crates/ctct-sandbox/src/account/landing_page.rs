//! Landing pages and what contacts did on them.

use super::contact::History;
use super::engagement::{Audience, Event, events};
use super::identifier;
use super::random::{Purpose, rng};

/// A landing page. All events are sorted, the latest first.
#[derive(Debug, Clone)]
pub(crate) struct LandingPage {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Identifier and address of each of its links.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) opens: Vec<Event>,
    pub(crate) unique_opens: Vec<Event>,
    /// Of each contact one for each link.
    pub(crate) clicks: Vec<Event>,
    pub(crate) adds: Vec<Event>,
    pub(crate) updates: Vec<Event>,
    pub(crate) sms_optins: Vec<Event>,
}

impl LandingPage {
    /// The link that was clicked.
    pub(crate) fn link_of(&self, click: &Event) -> Option<&(String, String)> {
        let places = u32::try_from(self.links.len()).ok().filter(|places| *places > 0)?;
        self.links.get(usize::try_from(click.chance % places).ok()?)
    }
}

const NAMES: &[&str] = &["Join the book club", "Win a signed copy", "Texts from the shop"];

/// The account's landing pages.
pub(super) fn landing_pages(
    seed: u64,
    audience: &Audience,
    has_number: impl Fn(u32) -> bool,
    history: History,
) -> Vec<LandingPage> {
    let (start, end) = (history.start * 1_000, history.end * 1_000);
    let page = |(name, number): (&&str, u32)| {
        let mut rng = rng(seed, Purpose::LandingPage, number);
        // One page after the other, the last one months before the end.
        let published = start + (end - start) / 4 * i64::from(number + 1);
        let mut visitors = audience.draw(published / 1_000, 0.25, &mut rng);
        // Those who can be reached by text messages do more than others.
        visitors.sort_by_key(|contact| !has_number(*contact));
        let with_number = visitors.partition_point(|contact| has_number(*contact));
        let of = |part: usize| visitors.get(..visitors.len() / part).unwrap_or_default();
        let opens = events(rng.u64(..), &visitors, published, end, 300);
        let first_link = 1_200_000_000_000 + u64::from(number) * 10;
        let links = (first_link..first_link + 2)
            .zip(["join", "terms"])
            .map(|(id, page)| (id.to_string(), format!("https://harborlanebooks.example/{page}")));
        let mut clicks = events(rng.u64(..), of(2), published, end, 500);
        let mut known = std::collections::HashSet::new();
        clicks.retain(|click| known.insert((click.contact, click.chance % 2)));
        LandingPage {
            id: identifier::campaign_side(&mut rng),
            name: (*name).to_owned(),
            links: links.collect(),
            unique_opens: once_each(&opens),
            adds: events(rng.u64(..), of(4), published, end, 0),
            updates: events(rng.u64(..), of(8), published, end, 0),
            sms_optins: events(
                rng.u64(..),
                visitors.get(..with_number).unwrap_or_default(),
                published,
                end,
                0,
            ),
            opens,
            clicks,
        }
    };
    NAMES.iter().zip(0..).map(page).collect()
}

/// Each contact's first event.
fn once_each(events: &[Event]) -> Vec<Event> {
    let mut known = std::collections::HashSet::new();
    let mut first: Vec<Event> =
        events.iter().rev().filter(|event| known.insert(event.contact)).cloned().collect();
    first.reverse();
    first
}

//! Arguments that can't be had again for another try.

use asynckit::async_work;

struct Ticket;

#[async_work(retry = 2)]
fn redeem(ticket: Ticket) -> Result<(), String> { //~ E0277 ticket: moves into the first try
    drop(ticket);
    Ok(())
}

#[async_work(retry = 2)]
fn lent(ticket: &Ticket, copies: Vec<u8>, text: &str) -> Result<(), String> {
    let _ = (ticket, copies, text);
    Ok(())
}

#[async_work(retry = 2)]
fn anything(call: impl Fn() + Send) -> Result<(), String> { //~ E0277 call: moves into the first try
    call();
    Ok(())
}

fn main() {
    let _ = redeem(Ticket);
    let _ = lent(&Ticket, Vec::new(), "");
    let _ = anything(|| ());
}

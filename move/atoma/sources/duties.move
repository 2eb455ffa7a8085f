/// The end of a ticket, paid or void: whoever was drawn for it is free again.
module atoma::duties;

use atoma::jury::Jury;
use atoma::money;
use atoma::task::Task;
use atoma::terms::SamplingTerms;
use atoma::ticket::Ticket;

/// Pays the examiner for its work and returns its bond, or fines it for what it overlooked, and frees everyone who was
/// drawn. Who was silent before an examiner that had something to say is struck off. Jurors of a jury that a conviction
/// by another path ends are freed unpaid.
public(package) fun end(
    task: &mut Task,
    sampling: &SamplingTerms,
    ticket: &mut Ticket,
    contradicted: bool,
) {
    let mut owed = ticket.take_exam_bond();
    ticket.hit().do!(|hit| {
        let examiner = hit.examiner().node();
        if (contradicted) {
            let taken = task.charge(examiner, sampling.examiner_fine());
            task.put_fee(taken);
        } else if (hit.has_passed() || hit.is_accused()) {
            money::put(&mut owed, task.take_due(sampling.attest_fee()));
            task.credit(examiner, owed.withdraw_all());
        };
        task.end_duty(examiner);
        if (hit.is_judged()) hit.silent().do!(|silent| task.strike(silent.node()));
    });
    owed.destroy_zero();
    ticket.jury(false).do!(|jury| free(task, &jury));
    ticket.jury(true).do!(|jury| free(task, &jury));
}

/// Ends one duty of each juror.
public(package) fun free(task: &mut Task, jury: &Jury) {
    jury.nodes().do!(|node| task.end_duty(node));
}

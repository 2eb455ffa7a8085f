//! Whole stories, told through the command that a user types. Each starts its own network on free
//! ports of loopback, in temporary folders; with `ATOMA_TEST_NETWORK` those that need nothing special of
//! their ledger use the one that it names.

mod anywhere;
mod atoma;
mod attesters;
mod budget;
mod by_hand;
mod case;
mod challenge;
mod check;
mod confidential;
mod court;
mod crash;
mod data_folder;
mod demo;
mod dispute;
mod doctor;
mod evicted;
mod evidence;
mod examination;
mod exits;
mod explore;
mod idle;
mod jail;
mod keys;
mod long_answers;
mod mistakes;
mod network;
mod newcomer;
mod others;
mod overspend;
mod pipes;
mod processes;
mod proxy;
mod publish;
mod restored;
mod sdk;
mod tables;
mod town;
mod upstream;
mod user;
mod verify;
mod walk;
mod wallet;
mod walrus;
mod watch;

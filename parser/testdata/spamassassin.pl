#!/usr/bin/perl
# Times how SpamAssassin reads Received lines, for the benchmark beside ours.
#
# Arguments: networks to trust, with commas between them, then files with one message each. On
# standard input comes "whole N" (read the message, then its Received lines) or "lines N" (the
# Received lines of messages that are read already); both for N messages, in turn. On standard
# output comes the processor time in seconds, how many relays were found, and the address of the topmost
# untrusted one in the last message, or "-". Nothing is asked of the network.
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);
use Mail::SpamAssassin;
use Mail::SpamAssassin::PerMsgStatus;

$| = 1;
my ($networks, @files) = @ARGV;
my $config = join "\n", "dns_available no", "use_bayes 0", "util_rb_tld com net org example",
    map { ("trusted_networks $_", "internal_networks $_") } split /,/, $networks;
my $sa = Mail::SpamAssassin->new({
    local_tests_only => 1, dont_copy_prefs => 1, require_rules => 0, config_text => $config,
});
$sa->init(0);

my @texts = map { open my $f, '<:raw', $_ or die "open $_: $!"; local $/; scalar <$f> } @files;
my @messages = map { $sa->parse($_, 0) } @texts;
my @status = map { Mail::SpamAssassin::PerMsgStatus->new($sa, $_) } @messages;

# read_lines is what SpamAssassin does with the Received lines of a message.
sub read_lines {
    my ($status, $message) = @_;
    my $metadata = $message->{metadata};
    $metadata->parse_received_headers($status, $message);
    return $metadata;
}

my %work = (
    whole => sub {
        my $message = $sa->parse($texts[$_[0]], 0);
        my $metadata = read_lines($status[$_[0]], $message);
        my @found = ($metadata->{num_relays_trusted} + $metadata->{num_relays_untrusted},
            $metadata->{relays_untrusted}[0]{ip});
        $message->finish;
        return @found;
    },
    lines => sub {
        my $metadata = read_lines($status[$_[0]], $messages[$_[0]]);
        return ($metadata->{num_relays_trusted} + $metadata->{num_relays_untrusted},
            $metadata->{relays_untrusted}[0]{ip});
    },
);

while (my $command = <STDIN>) {
    my ($what, $n) = $command =~ /^(\w+) (\d+)$/ or die "no command: $command";
    my ($relays, $count, $source) = (0, 0, undef);
    my $start = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
    for my $i (0 .. $n - 1) {
        ($count, $source) = $work{$what}->($i % @texts);
        $relays += $count;
    }
    printf "%.9f %d %s\n", clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $start, $relays, $source // '-';
}

# Sqitch's own parser, asked plan after plan in one process: a line with the number of bytes, then the bytes.
# The answer is one line of JSON: {"error": …}, or what the plan holds.
use strict;
use warnings;
use utf8;
use JSON::PP;
use URI;
use App::Sqitch;
use App::Sqitch::Config;
use App::Sqitch::Plan;
use App::Sqitch::Target;

$| = 1;
my $json = JSON::PP->new->ascii->canonical;
my $sqitch = App::Sqitch->new(options => {}, config => App::Sqitch::Config->new);
my $target = App::Sqitch::Target->new(sqitch => $sqitch, uri => URI->new('db:pg:'));
binmode STDIN;

while (defined(my $length = <STDIN>)) {
    my $data = '';
    read(STDIN, $data, $length) == $length or die "short read\n" if $length > 0;
    my $answer = eval {
        local $SIG{__WARN__} = sub { };
        my $plan = App::Sqitch::Plan->new(sqitch => $sqitch, target => $target);
        $plan->parse($data);
        my $uri = $plan->uri;
        +{
            project => $plan->project,
            uri     => defined $uri ? "$uri" : undef,
            changes => [
                map {
                    +{
                        id     => $_->id,
                        info   => $_->info,
                        name   => $_->name,
                        note   => $_->note,
                        deploy => '' . $_->deploy_file,
                        tags   => [ map { +{ id => $_->id, info => $_->info, name => $_->format_name } } $_->tags ],
                    }
                } $plan->changes
            ],
        };
    } || { error => "$@" };
    print $json->encode($answer), "\n";
}

# Sqitch's own command line, loaded once and forked for each command: most of a run is Perl starting.
# A request is a line of JSON: {"cwd", "env", "argv", "output"}; the answer is the exit code on a line of its own.
use strict;
use warnings;
use JSON::PP;
use POSIX ();
use App::Sqitch;
use App::Sqitch::Command;
use App::Sqitch::Engine::pg;
use App::Sqitch::Target;
use App::Sqitch::DateTime;
use DBD::Pg;
use User::pwent;
use Sys::Hostname;
use URI::pg;
require "App/Sqitch/Command/$_.pm" for qw(check config deploy log rebase revert status verify);

$| = 1;
while (my $line = <STDIN>) {
    my $request = decode_json($line);
    my $child = fork() // die "fork: $!\n";
    if (!$child) {
        %ENV = %{ $request->{env} };
        chdir $request->{cwd} or die "chdir: $!\n";
        open STDIN, '<', '/dev/null' or die "stdin: $!\n";
        open STDOUT, '>', $request->{output} or die "stdout: $!\n";
        open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
        # As bin/sqitch does.
        binmode STDOUT, ':utf8_strict';
        binmode STDERR, ':utf8_strict';
        @ARGV = @{ $request->{argv} };
        my $code = App::Sqitch->go;
        STDOUT->flush;
        POSIX::_exit($code);
    }
    waitpid $child, 0;
    print $? & 127 ? 128 + ($? & 127) : $? >> 8, "\n";
}

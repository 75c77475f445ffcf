# Completion of trapline for fish, as printed by "trapline completion fish".
function __trapline_complete
    set -l words (commandline -opc) "$(commandline -ct)"
    for choice in (command $words[1] complete -- $words[2..] 2>/dev/null)
        if test "$choice" = :files
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- $words[-1])
        else
            echo $choice
        end
    end
end
complete -c trapline -f -a '(__trapline_complete)'

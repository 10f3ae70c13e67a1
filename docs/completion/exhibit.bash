# bash completion for exhibit(1)
_exhibit()
{
	local cur=${COMP_WORDS[COMP_CWORD]} word=${COMP_WORDS[1]} opts=
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "keygen case collect verify
		    list cat scan diff triggers logs report custody rules
		    --help --version" -- "$cur")
		return
	fi
	case $word in
	keygen) opts="--algorithm --name --request --passphrase-file --help" ;;
	case) opts="new --name --examiner --keys --passphrase-file --help" ;;
	collect) opts="--case --weights --training --registry --api-logs
	    --process --process-of --environ --copy-libraries
	    --since --until --exclude --one-file-system --follow-mounts
	    --max-bytes --limit-rate --nice --authority --exhibit --dry-run
	    --organisation --contact --witness --write-blocker
	    --reference-time --log-zone --mask-content
	    --registry-ca --registry-header
	    --discover --format --ssh --ssh-option --remote-collect
	    --collect-program --from-tar --class --resume
	    --tsa --tsa-trust --digest --double-read --purpose --keys
	    --passphrase-file --output --quiet --verbose --help" ;;
	verify) opts="--trust --tsa-trust --case --source --format --output --quiet
	    --verbose --help" ;;
	list) opts="--format --output --quiet --verbose --help" ;;
	cat) opts="--output --help" ;;
	scan) opts="--format --output --fail-on --no-hash --deep --no-deep
	    --no-sandbox --carve --rules --decompile
	    --policy --case
	    --quiet --verbose --help" ;;
	diff) opts="--against --tokenizer --adapter --sha256 --carve --threads
	    --format --output --fail-on --no-sandbox --case
	    --quiet --verbose --help" ;;
	triggers) opts="--base --fields --logs --log-fields --tokenizer --threads --format --output
	    --fail-on --no-sandbox --case --quiet --verbose --help" ;;
	logs) opts="--fields --candidates --since --until --split --log-zone --threads
	    --format --output --fail-on --no-sandbox --case
	    --quiet --verbose --help" ;;
	report) opts="--output --case --format --help" ;;
	custody) opts="log --case --format --output --help" ;;
	rules) opts="--help" ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -W "${opts%% -*}" -- "$cur")
	fi
}
complete -o filenames -F _exhibit exhibit

"""What is put together from all of the tree's own libraries: one archive, one folder of headers."""

def _merged_archive(ctx):
    archives = {}
    options = []
    for dep in ctx.attr.deps:
        for linked in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linked.libraries:
                archive = library.pic_static_library or library.static_library
                if archive:
                    archives[archive.path] = archive
            for option in linked.user_link_flags:
                if option not in options:
                    options.append(option)
    script = ctx.actions.declare_file(ctx.label.name + ".mri")
    ctx.actions.write(script, "".join(
        ["create %s\n" % ctx.outputs.archive.path] +
        ["addlib %s\n" % path for path in archives] +
        ["save\nend\n"],
    ))
    ctx.actions.run_shell(
        inputs = archives.values() + [script],
        outputs = [ctx.outputs.archive],
        command = "ar -M < %s" % script.path,
        mnemonic = "MergeArchives",
    )
    ctx.actions.write(ctx.outputs.link_options, " ".join(options) + "\n")
    return [DefaultInfo(files = depset([ctx.outputs.archive, ctx.outputs.link_options]))]

# `link_options` says what a program has to link beside the archive.
merged_archive = rule(
    implementation = _merged_archive,
    attrs = {
        "archive": attr.output(),
        "deps": attr.label_list(providers = [CcInfo]),
        "link_options": attr.output(),
    },
)

def _header_folder(ctx):
    folder = ctx.actions.declare_directory(ctx.label.name)
    reachable = depset(transitive = [
        dep[CcInfo].compilation_context.headers
        for dep in ctx.attr.deps
    ])
    ctx.actions.run(
        executable = "/usr/bin/python3",
        arguments = [ctx.file._program.path, folder.path] + [file.path for file in ctx.files.headers],
        inputs = depset(ctx.files.headers + [ctx.file._program], transitive = [reachable]),
        outputs = [folder],
        mnemonic = "CollectHeaders",
    )
    return [DefaultInfo(files = depset([folder]))]

# The headers and all that they include of this tree.
header_folder = rule(
    implementation = _header_folder,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "headers": attr.label_list(allow_files = True),
        "_program": attr.label(
            allow_single_file = True,
            default = "//library:collect_headers.py",
        ),
    },
)

# Turns a text file into a C++ source that defines a constant of its content.
# cmake -D INPUT=file -D OUTPUT=file.cpp -D NAME=constant -P embed.cmake
file(READ "${INPUT}" content)
file(WRITE "${OUTPUT}" "#include \"scenarios/embedded.hpp\"\n\nnamespace pgrehearse::embedded {\n\n")
file(APPEND "${OUTPUT}" "constexpr std::string_view ${NAME}_text = R\"embedded(${content})embedded\";\n")
file(APPEND "${OUTPUT}" "const std::string_view ${NAME} = ${NAME}_text;\n\n}\n")

# find_package(Sockgate) gives two targets:
#   sockgate::sockgate   the shared library: sockgate.h, for C
#   sockgate::static     the archive: sockgate.hpp, for C++17, and sockgate.h
get_filename_component(_sockgate_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET sockgate::sockgate)
  add_library(sockgate::sockgate SHARED IMPORTED)
  set_target_properties(sockgate::sockgate PROPERTIES
    IMPORTED_LOCATION "${_sockgate_prefix}/lib/libsockgate.so.0"
    IMPORTED_SONAME "libsockgate.so.0"
    INTERFACE_INCLUDE_DIRECTORIES "${_sockgate_prefix}/include")
  add_library(sockgate::static STATIC IMPORTED)
  set_target_properties(sockgate::static PROPERTIES
    IMPORTED_LOCATION "${_sockgate_prefix}/lib/libsockgate.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_sockgate_prefix}/include"
    INTERFACE_LINK_LIBRARIES "@CMAKE_LINK_OPTIONS@")
endif()

unset(_sockgate_prefix)
